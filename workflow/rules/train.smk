# Train the networks of a block of seeds; their checkpoints lie beside the seeds' results and are not declared, since
# Snakemake removes what a failed job declared.


rule train:
    output:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/train.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/train.log",
    params:
        specification=specification("train"),
    threads: 1
    shell:
        command("train", "base", "family", "variant", "block")
