"""`haploom doctor`: what this installation can do on this machine."""

from typing import Any

import rich_click as click

from haploom.cli.frame import json_option, print_result


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say which versions, devices, extras and programs are here, and what is missing for what."""
    from haploom.bench.machine import describe_machine

    about = describe_machine()
    if as_json:
        print_result(about, as_json)
        return
    print_result(_for_people(about), as_json)


def _for_people(about: dict[str, Any]) -> dict[str, Any]:
    shown = {name: about[name] for name in ("versions", "system", "cores")}
    shown["memory"] = _gib(about["memory_bytes"])
    shown["devices"] = about["devices"] or "none: models need the extra `models`"
    for extra, missing in about["extras"].items():
        advice = f"{', '.join(missing)} not installed: pip install 'haploom[{extra}]'"
        shown[f"extra {extra}"] = advice if missing else "there"
    found = [name for name, there in about["programs"].items() if there]
    shown["programs"] = found
    shown["not found"] = [name for name, there in about["programs"].items() if not there]
    for place, n_bytes in about["free_bytes"].items():
        shown[f"free disk, {place}"] = _gib(n_bytes)
    shown["compiled code"] = about["kernel_folder"] or "kept nowhere: set XDG_CACHE_HOME to a folder of your own"
    return shown


def _gib(n_bytes: int | None) -> str:
    return "unknown" if n_bytes is None else f"{n_bytes / (1 << 30):.1f} GiB"
