# Sample the posterior of a whole network while n grows, in families that say `phases:`. It needs no run.


rule phases:
    output:
        update(f"{RESULTS}/{{family}}/{{variant}}/phases.json"),
    log:
        f"{RESULTS}/{{family}}/{{variant}}/jobs/phases.log",
    priority: 1
    threads: 1
    params:
        specification=specification("phases"),
    shell:
        command("phases", "family", "variant")
