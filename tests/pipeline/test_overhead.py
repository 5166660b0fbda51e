from benchmarks.overhead import LINE
from ontogeny.pipeline.overhead import closing_line


def test_the_benchmark_reads_what_jobs_tell():
    log = f"sample: 10 of 10\n{closing_line('train toy/base seeds~0-7', 12.34, 1.26, 3.0)}\n"
    assert LINE.findall(log) == [("train", "12.3", "1.3", "3.0")]
