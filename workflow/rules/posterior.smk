# Sample the posterior of a whole network while n grows, in families that say `posterior:`. It needs no run.


rule posterior:
    output:
        update(f"{RESULTS}/{{family}}/{{variant}}/posterior.json"),
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/posterior.log",
    priority: 1
    threads: 1
    params:
        specification=specification("posterior"),
    shell:
        command("posterior", "family", "variant")
