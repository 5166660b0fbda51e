# Put the measurements of a run into its trajectory, find its transitions, and compare them over seeds.


rule detect:
    input:
        made_by("estimate"),
        made_by("observe"),
        sensitivity_of_variant,
    output:
        manifest("detect"),
    log:
        log_of("detect"),
    params:
        specification=specification("detect"),
    shell:
        command("detect")


rule consensus:
    input:
        manifests("detect"),
    output:
        update(of_variant("consensus.json")),
    log:
        log_of("consensus"),
    params:
        specification=specification("consensus"),
    shell:
        command("consensus")
