"""Which spec versions a release takes: each row of the tables, what lies between, before and after."""

import pytest

from ignition.config.targets import FEDORA_COREOS, FLATCAR, first_release, in_words, parse
from ignition.config.versions import NEWEST, SPEC_1, SPEC_2, SPEC_3


@pytest.mark.parametrize(
    "release, ignition, oldest, newest",
    [
        ("1722.2.0", "0.23.0", "1", "2.2.0"),
        ("1745.0.0", "0.24.0", "1", "2.2.0"),
        ("1911.0.2", "0.28.0", "1", "2.2.0"),
        ("1981.0.0", "0.28.0", "1", "2.2.0"),
        ("1995.0.0", "0.29.1", "1", "2.3.0"),
        ("2023.0.0", "0.30.0", "1", "2.3.0"),
        ("2605.0.0", "0.34.0", "1", "2.3.0"),
        ("3046.0.0", "0.34.0", "1", "2.3.0"),
        ("3066.0.0", "0.36.1", "1", "2.4.0"),
        ("3165.0.0", "0.36.1", "1", "2.4.0"),
        ("3185.0.0", "2.13.0", "1", "3.3.0"),
        ("3480.0.0", "2.14.0", "1", "3.3.0"),
        ("3510.3.8", "2.14.0", "1", "3.3.0"),
        ("3535.0.0", "2.15.0", "1", "3.4.0"),
        ("4116.1.0", "2.19.0", "1", "3.4.0"),
        ("4152.0.0", "2.20.0", "1", "3.5.0"),
        ("4230.1.0", "2.20.0", "1", "3.5.0"),
        ("4757.2.0", "2.24.0", "1", "3.5.0"),
    ],
)
def test_release_of_flatcar_has_its_ignition(release: str, ignition: str, oldest: str, newest: str) -> None:
    target = parse(f"flatcar={release}")
    assert (target.name, target.ignition) == (f"Flatcar {release}", f"Ignition {ignition}")
    assert (target.specs()[0], target.specs()[-1]) == (oldest, newest)
    assert {version for version in SPEC_1 + SPEC_2 + SPEC_3 if target.takes(version)} == set(target.specs())
    assert None not in {target.takes(version) for version in SPEC_1 + SPEC_2 + SPEC_3}


@pytest.mark.parametrize(
    "date, ignition, newest",
    [
        ("20190902", "2.0.1", "3.0.0"),
        ("20200504", "2.2.1", "3.0.0"),
        ("20200521", "2.3.0", "3.1.0"),
        ("20201012", "2.6.0", "3.1.0"),
        ("20201029", "2.7.0", "3.2.0"),
        ("20210624", "2.10.1", "3.2.0"),
        ("20210629", "2.11.0", "3.3.0"),
        ("20230220", "2.14.0", "3.3.0"),
        ("20230303", "2.15.0", "3.4.0"),
        ("20241021", "2.19.0", "3.4.0"),
        ("20241106", "2.20.0", "3.5.0"),
        ("20251221", "2.25.0", "3.5.0"),
        ("20260309", "2.26.0", NEWEST),
        ("20260826", "2.26.0", NEWEST),
    ],
)
@pytest.mark.parametrize("stream", ["1.0", "2.1", "3.12"])
def test_date_of_fedora_coreos_has_its_ignition(date: str, ignition: str, newest: str, stream: str) -> None:
    target = parse(f"fcos=35.{date}.{stream}")
    assert (target.name, target.ignition) == (f"Fedora CoreOS 35.{date}.{stream}", f"Ignition {ignition}")
    assert (target.specs()[0], target.specs()[-1]) == ("3.0.0", newest)


def test_tests_have_every_row() -> None:
    assert (len(FLATCAR), len(FEDORA_COREOS)) == (18, 14)


@pytest.mark.parametrize("table", [FLATCAR, FEDORA_COREOS], ids=["flatcar", "fcos"])
def test_rows_are_in_order(table: tuple[tuple[str, str], ...]) -> None:
    releases = [tuple(map(int, release.split("."))) for release, _ in table]
    ignitions = [tuple(map(int, ignition.split("."))) for _, ignition in table]
    assert releases == sorted(set(releases))
    assert ignitions == sorted(ignitions)


@pytest.mark.parametrize(
    "said, ignition, sure, version, takes",
    [
        pytest.param("flatcar=2605.12.0", "Ignition 0.34.0", "1 and 2.0.0 to 2.3.0", "2.3.0", True, id="between equals"),
        pytest.param("flatcar=2605.12.0", "Ignition 0.34.0", "1 and 2.0.0 to 2.3.0", "3.0.0", False, id="no 3.x in Ignition 0"),
        pytest.param("flatcar=1990.0.0", "Ignition 0.28.0 to 0.29.1", "1 and 2.0.0 to 2.2.0", "2.3.0", None, id="in a gap"),
        pytest.param("flatcar=1990.0.0", "Ignition 0.28.0 to 0.29.1", "1 and 2.0.0 to 2.2.0", "2.4.0", False, id="above a gap"),
        pytest.param(
            "flatcar=3510.3.9", "Ignition 2.14.0 to 2.15.0", "1, 2.0.0 to 2.4.0 and 3.0.0 to 3.3.0", "3.4.0", None, id="LTS"
        ),
        pytest.param("flatcar=3033.3.18", "Ignition 0.34.0", "1 and 2.0.0 to 2.3.0", "2.4.0", False, id="an older branch"),
        pytest.param(
            "flatcar=10000.0.0", "Ignition 2.24.0 or newer", "1, 2.0.0 to 2.4.0 and 3.0.0 to 3.5.0", "3.5.0", True, id="after"
        ),
        pytest.param(
            "flatcar=10000.0.0",
            "Ignition 2.24.0 or newer",
            "1, 2.0.0 to 2.4.0 and 3.0.0 to 3.5.0",
            "3.6.0",
            None,
            id="after, new",
        ),
        pytest.param("flatcar=1000.0.0", "Ignition 0.23.0 or older", "", "2.0.0", None, id="before"),
        pytest.param("flatcar=1000.0.0", "Ignition 0.23.0 or older", "", "2.3.0", False, id="before, too new"),
        pytest.param("fcos=34.20210518.3.0", "Ignition 2.7.0 to 2.10.1", "3.0.0 to 3.2.0", "3.2.0", True, id="fcos"),
        pytest.param("fcos=34.20210518.3.0", "Ignition 2.7.0 to 2.10.1", "3.0.0 to 3.2.0", "2.3.0", False, id="fcos, never 2.x"),
        pytest.param("fcos=34.20210626.3.1", "Ignition 2.10.1 to 2.11.0", "3.0.0 to 3.2.0", "3.3.0", None, id="fcos, in a gap"),
        pytest.param("fcos=45.20270101.3.0", "Ignition 2.26.0 or newer", "3.0.0 to 3.6.0", "3.6.0", True, id="fcos, after"),
        pytest.param("fcos=45.20270101.3.0", "Ignition 2.26.0 or newer", "3.0.0 to 3.6.0", NEWEST, None, id="fcos, experimental"),
        pytest.param("fcos=45.20270101.3.0", "Ignition 2.26.0 or newer", "3.0.0 to 3.6.0", "2.0.0", False, id="fcos, after, 2.x"),
    ],
)
def test_what_is_not_in_the_table_is_a_range(said: str, ignition: str, sure: str, version: str, takes: bool | None) -> None:
    target = parse(said)
    assert (target.ignition, in_words(target.specs()), target.takes(version)) == (ignition, sure, takes)


def test_versions_are_compared_as_numbers() -> None:
    assert parse("flatcar=3185.0.0").ignition == parse("flatcar=03185.00.0").ignition == "Ignition 2.13.0"
    assert parse("flatcar=999.0.0").takes("3.0.0") is False
    assert parse("flatcar=3510.3.10").takes("3.3.0") is True


@pytest.mark.parametrize(
    "said, message",
    [
        pytest.param("flatcar=stable", "'stable' is not a Flatcar version such as 3510.2.0; channels move", id="channel"),
        pytest.param("flatcar=3510.2", "'3510.2' is not a Flatcar version", id="two numbers"),
        pytest.param("flatcar=v3510.2.0", "'v3510.2.0' is not a Flatcar version", id="letter"),
        pytest.param("flatcar=3510.2.٣", "is not a Flatcar version", id="other digits"),
        pytest.param("flatcar", "'' is not a Flatcar version", id="no version"),
        pytest.param("fcos=42.20250929.3", "'42.20250929.3' is not a Fedora CoreOS version such as 42.20250929.3.0", id="three"),
        pytest.param("fcos=42.2025.3.0", "'42.2025.3.0' is not a Fedora CoreOS version", id="no date"),
        pytest.param("fcos=stable", "'stable' is not a Fedora CoreOS version such as 42.20250929.3.0; streams move", id="stream"),
        pytest.param("debian=12", "'debian=12' is neither flatcar=VERSION nor fcos=VERSION", id="other system"),
        pytest.param("", "'' is neither flatcar=VERSION nor fcos=VERSION", id="nothing"),
    ],
)
def test_other_words_are_refused(said: str, message: str) -> None:
    with pytest.raises(ValueError, match="^") as refused:
        parse(said)
    assert message in str(refused.value)


def test_system_may_be_in_capitals() -> None:
    assert parse("Flatcar=3510.2.0").name == "Flatcar 3510.2.0"


@pytest.mark.parametrize(
    "said, version, first",
    [
        ("flatcar=2605.0.0", "3.4.0", "3535.0.0"),
        ("flatcar=2605.0.0", "3.0.0", "3185.0.0"),
        ("flatcar=2605.0.0", "3.6.0", ""),
        ("fcos=34.20210518.3.0", "3.3.0", "20210629"),
        ("fcos=34.20210518.3.0", "2.3.0", ""),
    ],
)
def test_first_release_that_takes_a_spec(said: str, version: str, first: str) -> None:
    assert first_release(parse(said), version) == first


@pytest.mark.parametrize(
    "said, version, is_translated",
    [
        ("flatcar=3510.2.0", "2.3.0", True),
        ("flatcar=3510.2.0", "1", True),
        ("flatcar=3510.2.0", "3.3.0", False),
        ("flatcar=3139.2.0", "2.3.0", False),
    ],
)
def test_flatcar_translates_for_ignition_2(said: str, version: str, is_translated: bool) -> None:
    assert parse(said).is_translated(version) is is_translated
