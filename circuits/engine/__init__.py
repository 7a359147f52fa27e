"""The engine: runs a deck in one isolated ngspice process and believes nothing that it has not checked.

``job.Job`` says what to run, ``run.run`` runs it, ``pool.run_many`` runs many. On the way: ``guard`` (the door) and
``cards``, ``request`` (what the deck asks for), ``workplace`` (a private folder), ``process`` (limits, kills), ``rawfile``,
``verdict`` (is it good?), ``measures``. Import from the modules; this package imports nothing, so that the door can use its
cards.
"""
