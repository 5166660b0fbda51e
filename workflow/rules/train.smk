# Train the networks of a block of seeds; their checkpoints lie beside the seeds' results and are not declared, since
# Snakemake removes what a failed job declared.


rule train:
    output:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/train.json",
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/{{block}}/train.log",
    threads: 1
    params:
        specification=specification("train"),
    shell:
        command("train", "base", "family", "variant", "block")
