"""Serving: a supervisor keeps the port, a generation loads everything once, and its workers answer.

    myositis-cds serve ── supervisor ── generation ──┬── worker
                          (the port)    (warm)       └── worker …

The supervisor starts a generation as a new program, so that a reload finds new software, clients, keys and knowledge; the
generation forks workers out of its warm memory, which they share. `docs/operating.md` tells what each does when.
"""
