# The pages that people read: one per run, one per family, one for the study.


rule run_pages:
    input:
        manifests("detect"),
        f"{RESULTS}/{{family}}/{{variant}}/calibration.json",
        f"{RESULTS}/{{family}}/{{variant}}/consensus.json",
    output:
        figure=report(
            f"{RESULTS}/{{family}}/{{variant}}/trajectory.svg",
            caption="../report/trajectory.rst",
            category="{family}",
            labels={"variant": "{variant}", "figure": "loss and λ̂ over training"},
        ),
        manifest=f"{RESULTS}/{{family}}/{{variant}}/jobs/run_pages.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/run_pages.log",
    threads: 1
    params:
        specification=specification("run_pages"),
    shell:
        command("run_pages", "family", "variant")


rule family_page:
    input:
        of_variants("jobs/run_pages.json"),
        posteriors,
    output:
        update(f"{RESULTS}/{{family}}/report.html"),
    log:
        f"{RESULTS}/{{family}}/report.log",
    threads: 1
    params:
        specification=specification("family_page"),
    shell:
        command("family_page", "family")


rule index_page:
    input:
        [f"{RESULTS}/{family}/report.html" for family in PLAN.study.families],
    output:
        update(INDEX),
    log:
        f"{RESULTS}/report/index.log",
    threads: 1
    params:
        specification=specification("index_page"),
    shell:
        command("index_page")
