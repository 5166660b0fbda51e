# The pages that people read: one per run, one per family, one for the study.


rule report:
    input:
        manifests("analyse"),
        f"{RESULTS}/{{family}}/{{variant}}/calibration.json",
        f"{RESULTS}/{{family}}/{{variant}}/consensus.json",
    output:
        figure=report(
            f"{RESULTS}/{{family}}/{{variant}}/trajectory.svg",
            caption="../report/trajectory.rst",
            category="{family}",
            labels={"variant": "{variant}", "figure": "loss and λ̂ over training"},
        ),
        manifest=f"{RESULTS}/{{family}}/{{variant}}/jobs/report.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/report.log",
    threads: 1
    params:
        specification=specification("report"),
    shell:
        command("report", "family", "variant")


rule family_report:
    input:
        of_variants("jobs/report.json"),
        posteriors,
    output:
        update(f"{RESULTS}/{{family}}/report.html"),
    log:
        f"{RESULTS}/{{family}}/report.log",
    threads: 1
    params:
        specification=specification("family_report"),
    shell:
        command("family_report", "family")


rule index:
    input:
        [f"{RESULTS}/{family}/report.html" for family in PLAN.study.families],
    output:
        update(INDEX),
    log:
        f"{RESULTS}/report/index.log",
    threads: 1
    params:
        specification=specification("index"),
    shell:
        command("index")
