# Put the measurements of a run into its trajectory, find its transitions, and compare them over seeds.


rule detect:
    input:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/sample.json",
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/observe.json",
    output:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/detect.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/detect.log",
    threads: 1
    params:
        specification=specification("detect"),
    shell:
        command("detect", "family", "variant", "block")


rule consensus:
    input:
        manifests("detect"),
    output:
        update(f"{RESULTS}/{{family}}/{{variant}}/consensus.json"),
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/consensus.log",
    threads: 1
    params:
        specification=specification("consensus"),
    shell:
        command("consensus", "family", "variant")
