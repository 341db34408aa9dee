"""Equal for what is equal, and for nobody without the key."""

from domain.model.fingerprints import Fingerprints


def test_every_process_of_a_deployment_makes_the_same() -> None:
    one, other = Fingerprints(b"secret"), Fingerprints(b"secret")

    assert one.of(b"asked") == other.of(b"asked")
    assert one.of(b"asked") != one.of(b"asked else")
    assert "secret" not in repr(one)


def test_another_key_makes_another() -> None:
    made = [Fingerprints(b"secret"), Fingerprints(b"other"), Fingerprints.of_this_process()]

    assert len({each.of(b"asked") for each in made}) == 3
