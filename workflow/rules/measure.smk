# Measure the trained networks: sample the local posterior at their checkpoints, and observe what they can do. Sampling
# takes longest, so it goes first: no core idles at the end of a study.


rule calibrate:
    input:
        first_manifest("train"),
    output:
        update(f"{RESULTS}/{{family}}/{{variant}}/calibration.json"),
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/calibrate.log",
    priority: 1
    threads: 1
    params:
        specification=specification("calibrate"),
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
    priority: 1
    threads: 1
    params:
        specification=specification("sample"),
    shell:
        command("sample", "base", "family", "variant", "block")


rule observe:
    input:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/train.json",
    output:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/observe.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/observe.log",
    threads: 1
    params:
        specification=specification("observe"),
    shell:
        command("observe", "base", "family", "variant", "block")
