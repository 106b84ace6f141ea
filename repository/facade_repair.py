"""The façade's verbs for repair: what audits found is healed, by hand or within limits, and what is lost is named."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from repository import packages
from repository.facade_browse import Browsing
from storage.away import answers

if TYPE_CHECKING:
    from repository.losses import Loss
    from repository.mending import Limits, Mended, Mending


class Repairing(Browsing):
    """Repairs. Nothing is ever written to a copy but what was hashed as it was read."""

    def repair(self, most: int = 0, given: Path | None = None) -> Mended:
        """Heal what audits found, `most` files of each copy where that is not 0, also from files that a person has
        `given`; raise NoRoom or SyncFailed, and NotAVault where a copy that keeps packages is another vault's."""
        from repository.mending import Limits

        return self._mend(Limits(lambda copy: most or None), given)

    def mend_automatically(self) -> Mended:
        """Heal what audits found so far as the policy allows; raise what `repair` raises. Where no damage is on record
        it costs one question to the catalogue."""
        from repository import damage
        from repository.mending import Limits, Mended

        policy = self.policies().repair
        if not policy.automatic or not damage.is_on_record(self.catalogue, policy.attempts):
            return Mended()
        left = {name: max(0, policy.most - healed) for name, healed in self._healed_today().items()}
        return self._mend(Limits(left.get, policy.attempts))

    def repair_plan(self, given: Path | None = None) -> Mended:
        """What `repair` would heal, and what it could not; nothing is changed."""
        done = self._mending(given).plan()
        for copy in self.packages:
            damaged = packages.damage(self.catalogue, copy.name)
            done.add(packages.plan(copy, self.vault, self.settings, damaged))
        return done

    def is_damaged(self) -> bool:
        """Whether there is damage on record, in any copy."""
        from repository import damage

        return damage.is_on_record(self.catalogue)

    def overworked(self) -> dict[str, int]:
        """The copies of which more files were healed in the last 24 hours than the policy allows the job, and how many:
        look at their disks."""
        most = self.policies().repair.most
        return {name: healed for name, healed in self._healed_today().items() if healed > most}

    def losses(self, done: Mended) -> list[Loss]:
        """What is damaged and whole in no copy, with what can be asked of whom."""
        from repository import losses

        away = [store.name for store in self.vault.copies if not answers(store)]
        return list(losses.losses(self.catalogue, done.beyond, away))

    def _mend(self, limits: Limits, given: Path | None = None) -> Mended:
        from repository import repairs

        self.check_mark()
        mending = self._mending(given)
        done = mending.repair(limits)
        for copy in self.packages:
            if damaged := packages.damage(self.catalogue, copy.name, limits.attempts):
                most = limits.most(copy.name)
                if most is not None and len(damaged) > most:
                    done.stopped[copy.name] = len(damaged) - most
                run = f"packages-{self._new_id()}"
                keep = partial(mending.quarantine.keep, copy.files)
                mends = packages.repair(copy, self.vault, self.settings, damaged[:most], keep, run, self.progress)
                repairs.note(mending.watch, copy.name, mends)
                done.add(mends)
        return done

    def _mending(self, given: Path | None) -> Mending:
        from repository.mending import Mending
        from repository.outside import search, shipped

        watch = self._watch()
        own = shipped(self.settings.vault_id)
        mending = Mending(watch, watch.quarantine, [own])
        if given is None:
            return mending
        wanted = (one.expected for store in self.vault.copies for one in mending.damaged(store))
        return replace(mending, outside=[own, search(given, wanted)])

    def _healed_today(self) -> dict[str, int]:
        from repository import repairs

        return {copy.name: repairs.within_a_day(self.catalogue, copy.name, self.now()) for copy in self.copies}
