from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_contactcenter.vendors import registry
from airflow_provider_contactcenter.vendors.conformance import complaints
from airflow_provider_contactcenter.vendors.protocol.form import Extra
from airflow_provider_contactcenter.vendors.protocol.kind import Kind
from airflow_provider_contactcenter.vendors.protocol.vendor import Vendor
from tests.cli.conftest import Command
from tests.third_party_vendor.acme_contactcenter.reports import acme_agents
from tests.third_party_vendor.acme_contactcenter.vendor import VENDOR

MODULE = VENDOR.submit.__module__


@pytest.mark.parametrize("name", registry.OURS)
def test_ours_are_complete(name: str, contactcenter: Command) -> None:
    target = f"{registry.OURS[name]}:VENDOR"
    done = contactcenter("conform", target)
    assert (done.status, done.out) == (0, f"{target} is complete.\n")


def extras(**more: Any) -> Vendor:
    return replace(VENDOR, form=replace(VENDOR.form, extras={**VENDOR.form.extras, **more}))


def leaky(fields: Any) -> Any:
    settings = VENDOR.settings(fields)
    return replace(settings, extra=dict(settings.secret), secret={})


def loose(start: str, end: str, *, conn_id: str = "acme_default") -> Any:
    """Ask."""


@pytest.mark.parametrize(
    ("vendor", "words"),
    [
        (object(), "has to be a vendors.protocol.vendor.Vendor"),
        (replace(VENDOR, name="Acme"), "name='Acme': give lower-case"),
        (replace(VENDOR, title=" "), "title is empty"),
        (replace(VENDOR, docs="acme.example"), "docs='acme.example': give the https URL"),
        (replace(VENDOR, kinds={}), "kinds is empty"),
        (
            replace(VENDOR, kinds={"calls": Kind(builder=acme_agents)}),
            "returns a report of vendor='acme', kind='agents'",
        ),
        (replace(VENDOR, kinds={"calls": Kind(builder=loose)}), "are keyword-only"),
        (replace(VENDOR, kinds={"calls": Kind(builder=loose)}), "returns no report"),
        (
            replace(VENDOR, kinds={"agents": Kind(builder=acme_agents, settle_delay=lambda params: 60)}),  # type: ignore[arg-type,return-value]
            "kinds['agents'].settle_delay returns no timedelta",
        ),
        (replace(VENDOR, states={"Done": "ready"}), "in lower case"),
        (replace(VENDOR, states={"done": "finished"}), "states['done']='finished': give one of"),
        (replace(VENDOR, states={"working": "running"}), "no word for ready"),
        (replace(VENDOR, submit=lambda report, label: None), "submit is no operation"),
        (replace(VENDOR, sign=lambda request: request), "sign has to take 3 arguments"),
        (replace(VENDOR, probe=None), "probe is missing"),
        (replace(VENDOR, advice={"gone": "Look."}), "advice['gone']: the kinds of refusal are"),
        (replace(VENDOR, advice={"missing": "Look"}), "give a sentence"),
        (extras(api_token=Extra(label="Token", description="It.")), "Airflow masks the value"),
        (extras(timeout=Extra(label="Timeout", description="It.")), "has this extra already"),
        (extras(region=Extra(label="", description="It.")), "needs a label and a description"),
        (replace(VENDOR, settings=leaky), "has to put the secret extra 'signing' into Settings.secret"),
        (replace(VENDOR, settings=lambda fields: 1 / 0), "settings has to raise Refusal"),
        (replace(VENDOR, sign=lambda request, settings, token: None), "sign has to return the Request"),
    ],
)
def test_what_is_missing_is_said_in_a_sentence(vendor: Any, words: str) -> None:
    assert any(words in complaint for complaint in complaints(vendor)), complaints(vendor)


def test_a_sound_description_that_no_distribution_brings_is_told_how(contactcenter: Command) -> None:
    assert complaints(VENDOR) == []
    done = contactcenter("conform", f"{MODULE}:VENDOR")
    assert done.status == 1
    assert done.out == (
        "no installed distribution brings it: let one have the entry point acme = "
        f"'{MODULE}:VENDOR' in the group airflow_provider_contactcenter.vendors.\n"
    )


@pytest.mark.parametrize("target", ["acme", "no.such.module:VENDOR", f"{MODULE}:NONE"])
def test_a_target_that_cannot_be_loaded_is_named(target: str, contactcenter: Command) -> None:
    done = contactcenter("conform", target)
    assert done.status == 1
    assert done.out.startswith(target) or done.out.startswith(f"'{target}'")
