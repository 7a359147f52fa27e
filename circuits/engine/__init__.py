"""The engine: runs a deck in one isolated ngspice process and believes nothing that it has not checked.

``job.Job`` says what to run, ``run.run`` runs it, ``pool.run_many`` runs many. On the way: ``door`` (what may not be in a
deck: ``guard``, with ``cards``, ``whitelist``, ``options``, ``control``, ``includes``, ``expansion``; and what it asks for:
``request``), ``code_models``, ``workplace`` (a private folder), ``process`` (limits, kills), ``rawfile``, ``plots`` (which is
which), ``verdict`` (is it good?), ``measures``, ``fourier``. Import from the modules; this package imports nothing, so that
the door can use its cards.
"""
