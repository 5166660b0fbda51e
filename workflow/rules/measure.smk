# Measure the trained networks: sample the local posterior at their checkpoints, estimate from the draws, and observe what the
# networks can do. Sampling takes longest, so it goes first: no core idles at the end of a study.


rule calibrate:
    input:
        first_manifest("train"),
    output:
        update(of_variant("calibration.json")),
    log:
        log_of("calibrate"),
    priority: 1
    params:
        specification=specification("calibrate"),
    shell:
        command("calibrate")


rule sample:
    input:
        made_by("train"),
        of_variant("calibration.json"),
    output:
        manifest("sample"),
    log:
        log_of("sample"),
    priority: 1
    params:
        specification=specification("sample"),
    shell:
        command("sample")


rule estimate:
    input:
        made_by("sample"),
    output:
        manifest("estimate"),
    log:
        log_of("estimate"),
    params:
        specification=specification("estimate"),
    shell:
        command("estimate")


rule sensitivity:
    input:
        first_manifest("train"),
        of_variant("calibration.json"),
    output:
        update(of_variant("sensitivity.json")),
    log:
        log_of("sensitivity"),
    params:
        specification=specification("sensitivity"),
    shell:
        command("sensitivity")


rule sweep_cells:
    input:
        first_manifest("train"),
        of_variant("calibration.json"),
    output:
        content=update(of_variant("sweep.json")),
        draws=update(of_variant("sweep.npz")),
    log:
        log_of("sweep_cells"),
    params:
        specification=specification("sweep_cells"),
    shell:
        command("sweep_cells")


rule observe:
    input:
        made_by("train"),
    output:
        manifest("observe"),
    log:
        log_of("observe"),
    params:
        specification=specification("observe"),
    shell:
        command("observe")
