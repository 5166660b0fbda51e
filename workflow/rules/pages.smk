# The pages that people read: one per run, one per family, one for the study.


rule run_pages:
    input:
        manifests("detect"),
        of_variant("calibration.json"),
        of_variant("consensus.json"),
        sensitivity_of_variant,
    output:
        figure=report(
            of_variant("trajectory.svg"),
            caption="../report/trajectory.rst",
            category="{family}",
            labels={"variant": "{variant}", "figure": "loss and λ̂ over training"},
        ),
        manifest=manifest("run_pages"),
    log:
        log_of("run_pages"),
    params:
        specification=specification("run_pages"),
    shell:
        command("run_pages")


rule family_page:
    input:
        of_variants("jobs/run_pages.json"),
        phases_of_family,
        along_of_family,
    output:
        update(of_family("report.html")),
    log:
        log_of("family_page"),
    params:
        specification=specification("family_page"),
    shell:
        command("family_page")


rule sweep_page:
    input:
        of_variant("sweep.json"),
        of_variant("sweep.npz"),
    output:
        update(of_variant("sweep.html")),
    log:
        log_of("sweep_page"),
    params:
        specification=specification("sweep_page"),
    shell:
        command("sweep_page")


rule index_page:
    input:
        [f"{RESULTS}/{family}/report.html" for family in PLAN.study.families],
    output:
        update(INDEX),
        update(PLOTLY),
    log:
        log_of("index_page"),
    params:
        specification=specification("index_page"),
    shell:
        command("index_page")
