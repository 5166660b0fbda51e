# Measure the trained networks: sample the local posterior at their checkpoints, and observe what they can do.


rule calibrate:
    input:
        ancient(first_manifest("train")),
    output:
        f"{RESULTS}/{{family}}/{{variant}}/calibration.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/calibrate.log",
    params:
        specification=specification("calibrate"),
    threads: 1
    shell:
        command("calibrate", "base", "family", "variant")


rule sample:
    input:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/train.json",
        f"{RESULTS}/{{family}}/{{variant}}/calibration.json",
    output:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/sample.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/sample.log",
    params:
        specification=specification("sample"),
    threads: 1
    shell:
        command("sample", "base", "family", "variant", "block")


rule observe:
    input:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/train.json",
    output:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/observe.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/observe.log",
    params:
        specification=specification("observe"),
    threads: 1
    shell:
        command("observe", "base", "family", "variant", "block")
