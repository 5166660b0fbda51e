# Train the networks of a block of seeds. Their checkpoints are not declared, since Snakemake removes what a failed job declared.


rule train:
    output:
        manifest("train"),
    log:
        log_of("train"),
    params:
        specification=specification("train"),
    shell:
        command("train")
