import hypothesis
import pytest
import torch
from threadpoolctl import threadpool_limits

from tests.project import Project, make_project

# Two processes of two threads each on two cores spin against one another: slower by an order of magnitude.
torch.set_num_threads(1)

# A property does not depend on how long an example takes.
hypothesis.settings.register_profile(
    "any speed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any speed")


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny products gain nothing from threads, and lose much on a busy machine."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """A project in which `dvc repro` has run once and its result is committed. Copy it before you change it."""
    project = make_project(tmp_path_factory.mktemp("finished") / "project")
    project.run("dvc", "repro")
    project.commit()
    return project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    """A copy of the finished project to do with as you like."""
    return finished.copy(tmp_path / "project")
