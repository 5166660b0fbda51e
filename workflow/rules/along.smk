# Put the ends of the runs of a family into trajectories along the key that it sweeps, in families that say `along:`.


rule along:
    input:
        manifests_of_variants("estimate"),
        manifests_of_variants("observe"),
    output:
        update(of_family("along/consensus.json")),
    log:
        log_of("along"),
    params:
        specification=specification("along"),
    shell:
        command("along")
