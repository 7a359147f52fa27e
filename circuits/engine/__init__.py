"""The engine: runs a deck in one isolated ngspice process and believes nothing that it has not checked.

``job.Job`` says what to run, ``run.run`` runs it, ``pool.run_many`` runs many. On the way: ``door`` (what a deck may hold, and
what it asks for), ``code_models`` (the XSPICE libraries that it needs), ``workplace`` (a private folder), ``process`` (limits,
kills), ``rawfile`` and ``plots`` (what came back, and which analysis it belongs to), ``verdict`` (is it good?), ``measures``,
``fourier``. Import from the modules; this package imports nothing.
"""
