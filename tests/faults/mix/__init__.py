"""The mix: companies trade through the gateway while processes die and records come twice; the end must equal what the log of requests says.

Who does what: `plans` and `nemeses` say from a seed what will happen, `setup` and `trade` do it as careful clients (`client`), `faults` gets in
the way, `quiet` waits for the end, `evidence` collects what is there, `model` computes from the log what should be, `checks` compares. Neither the
clients nor `topics`, `model` and `checks` import anything of the platform (`tests/faults/test_mix.py` sees to that).
"""
