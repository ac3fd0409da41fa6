"""Continuous integration runs what users run, where there is what the tests look with."""

from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_runs_all_tests_on_the_system_whose_packages_the_makefile_names():
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text()
    assert "container: debian:12\n" in workflow
    assert "- run: .ci/run\n" in workflow
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    makefile = (ROOT / "Makefile").read_text()
    assert "chromium-headless-shell:chromium-headless-shell" in makefile
