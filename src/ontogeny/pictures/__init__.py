"""What is recorded of a network for the pictures of it: small arrays at a checkpoint.

A kind is a module. It says in `NEEDS` what it needs of a network and a task, and `build(network, task)` returns name -> function
of the parameters, or name -> array where the array is the same at every checkpoint. The module of the same name in
`report/pictures` draws them.
"""
