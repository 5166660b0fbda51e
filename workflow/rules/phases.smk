# Sample the whole posterior of a network while n grows, in families that say `phases:`. It needs no run.


rule phases:
    output:
        update(of_variant("phases.json")),
    log:
        log_of("phases"),
    priority: 1
    params:
        specification=specification("phases"),
    shell:
        command("phases")
