# ontogeny: from config.yaml to trajectory reports. `snakemake --cores all` runs the study, `snakemake --cores all FAMILY` one family.
from snakemake.utils import min_version

min_version("9.16")


include: "workflow/rules/common.smk"


report: "workflow/report/study.rst"


localrules:
    all,


rule all:
    default_target: True
    input:
        INDEX,
        PLOTLY,


include: "workflow/rules/train.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/transitions.smk"
include: "workflow/rules/phases.smk"
include: "workflow/rules/along.smk"
include: "workflow/rules/pages.smk"


for family in PLAN.study.families:

    rule:
        name:
            family
        input:
            f"{RESULTS}/{family}/report.html",
        localrule: True


onstart:
    lock_results()
    announce_jobs()


onsuccess:
    name_index()
