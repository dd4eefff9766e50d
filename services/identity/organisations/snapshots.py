"""What identity republishes for those who rebuild a read model: every unit and school with its past."""

from __future__ import annotations

from contracts.events.identity import OrganisationsToldV1
from services.chassis.snapshots import Snapshots, Source
from services.identity.organisations.units_and_schools import school_fact, unit_fact

ORGANISATIONS = Snapshots((Source("units", unit_fact), Source("schools", school_fact)), OrganisationsToldV1)
