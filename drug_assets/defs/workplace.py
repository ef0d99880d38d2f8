"""Where a run works: a folder of its own, or the workspace of the store.

A run that makes everything stages its outputs, and releases them at its end. A run that makes only
some outputs works in the workspace and releases nothing, unless it selects `release` and the
workspace is complete (`storage.workspace`).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from drug_assets.defs.mesh_trees import ChosenTrees
from drug_assets.defs.places import Place, WarehousePlace
from drug_assets.defs.stop_list import StopListFile
from drug_assets.documents import DOCUMENTS
from drug_assets.errors import DrugAssetsError
from drug_assets.sources.tables import TABLES
from drug_assets.storage import copies, staging
from drug_assets.storage.kept.content_ids import ContentIds
from drug_assets.storage.landed_files import compute_fingerprint
from drug_assets.storage.outputs import Outputs, prepare_store, table_file
from drug_assets.storage.releases import LANDING_DOCUMENT, is_unchanged_since_release
from drug_assets.storage.workspace import Origin
from drug_assets.versions import compute_rules_version

if TYPE_CHECKING:
    from dagster._core.execution.context.system import StepExecutionContext

#: The last asset of a run that makes everything.
RELEASE = dg.AssetKey("release")
#: The file of every table and document, by asset.
FILES = {
    **{table: table_file(table) for table in TABLES},
    **{document.name: document.file for document in DOCUMENTS.values()},
}
#: The files of every release, besides `release.json`.
FILES_OF_RELEASE = (*FILES.values(), LANDING_DOCUMENT)
#: The folders of a release: each holds the files beside a document, if it has any.
FOLDERS_OF_RELEASE = tuple(filter(None, (document.folder for document in DOCUMENTS.values())))
#: Key of the metadata that holds a link to a file of the current release.
LINK = "link"
#: Tag of a run: names of sources, separated by blanks, that may have become empty.
ALLOW_EMPTY = "drug_assets/allow_empty"

#: What the outputs of the last run of this process are made from.
_ORIGINS: dict[str, Origin] = {}

Context = (
    dg.OutputContext | dg.InputContext | dg.AssetExecutionContext | dg.AssetCheckExecutionContext
)


class Workplace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The store of a run, with what determines where in it the run works."""

    store: Place
    landing_zone: Place
    stop_list: StopListFile
    mesh_trees: ChosenTrees
    warehouse: WarehousePlace
    #: How many releases are kept, the current one included.
    keep_releases: int
    #: The settings that the outputs depend on (`Settings.choices`).
    choices: dict[str, Any]
    #: The address at which people find the files of the current release, if there is one.
    served_at: str | None = None

    def open(self, context: Context) -> Outputs:
        """The outputs as the current run reads and writes them.

        A run that Dagster starts again after a failure goes on with what the first one staged.
        Outside of a run (`Definitions.load_asset_value`) the current release is read.
        """
        store = self.store.open()
        step = find_step(context)
        if step is None:
            return Outputs.current(store)
        run = run_of(step)
        copies.begin_step(f"{step.run_id} {step.step.key}")
        staging.hold(store, run)
        if makes_everything(step.job_def):
            return Outputs.of_run(store, run)
        return Outputs.of_workspace(store, self._origin(run), step.log.warning)

    def begin(self, context: dg.AssetExecutionContext) -> list[str]:
        """Prepare the store for a run, and register the run; return what was done to the store.

        Raises:
            StorageError: the store cannot be used.
        """
        store = self.store.open()
        documents = [document.file for document in DOCUMENTS.values()]
        done = prepare_store(store, documents, self.warehouse.open())
        step = require_step(context)
        beginning = staging.Beginning(
            base=store.pointer(),
            rules=self.rules(),
            resumable=not context.instance.is_ephemeral,
        )
        staging.begin(store, run_of(step), beginning)
        return done

    def rules(self) -> str:
        """The version of everything that determines the outputs besides the landed files."""
        digests = self.stop_list.read().digest, self.mesh_trees.read().digest
        return compute_rules_version(*digests, **self.choices)

    def fingerprint(self) -> str:
        """The fingerprint of the landing zone as it is now."""
        return compute_fingerprint(ContentIds.of(self.landing_zone.open(), self.store.open()))

    def is_released(self) -> bool:
        """Whether a run would only make the newest release again; False if nobody can tell."""
        try:
            zone, store = self.landing_zone.open(), self.store.open()
            return is_unchanged_since_release(zone, store, self.rules())
        except (DrugAssetsError, OSError):  # a run then tells what is wrong
            return False

    def _origin(self, run: str) -> Origin:
        """What a run makes its outputs from; determined once per run."""
        if run not in _ORIGINS:
            _ORIGINS.clear()
            _ORIGINS[run] = Origin(self.fingerprint(), self.rules())
        return _ORIGINS[run]

    def note_output(self, context: dg.OutputContext, outputs: Outputs) -> None:
        """Note in the workspace what an output was made from: the origins of its inputs."""
        if outputs.workspace is None:
            return
        asset = context.asset_key
        parents = context.step_context.job_def.asset_layer.get(asset).parent_keys
        inputs = [FILES[key.path[-1]] for key in parents if key.path[-1] in FILES]
        origins = [outputs.workspace.origin(file) for file in inputs]
        # Without such inputs it was made from the landing zone as this run found it.
        name = asset.path[-1]
        folder = DOCUMENTS[name].folder if name in DOCUMENTS else None
        beside = outputs.list_files([folder] if folder else [])
        outputs.workspace.note_output(FILES[name], origins or [outputs.workspace.now], beside)

    def link(self, file: str) -> dict[str, dg.UrlMetadataValue]:
        """A link to a file of the current release, as metadata; empty without an address.

        A path is none: browsers do not open files of a disk from the pages of Dagster.
        """
        if self.served_at is None:
            return {}
        return {LINK: dg.MetadataValue.url(f"{self.served_at.rstrip('/')}/{file}")}


def full_path(uri: str) -> dg.PathMetadataValue:
    """Where something is stored: absolute, so that it can be copied and used anywhere."""
    return dg.MetadataValue.path(uri if "://" in uri else str(Path(uri).absolute()))


def makes_everything(job: dg.JobDefinition) -> bool:
    """Whether a run of a job makes every output, and releases."""
    return {*map(dg.AssetKey, FILES), RELEASE} <= job.asset_layer.selected_asset_keys


def run_of(step: "StepExecutionContext") -> str:
    """The id of a run; after a failure, that of the run that was started again."""
    return step.dagster_run.root_run_id or step.dagster_run.run_id


def may_be_empty(context: Context) -> set[str]:
    """The sources that may have become empty in this run."""
    return set(require_step(context).dagster_run.tags.get(ALLOW_EMPTY, "").split())


def require_step(context: Context) -> "StepExecutionContext":
    """The step of a run that a context belongs to.

    Raises:
        RuntimeError: it is not part of a run.
    """
    step = find_step(context)
    if step is None:
        raise RuntimeError("this is not part of a run")
    return step


def find_step(context: Context) -> "StepExecutionContext | None":
    """The step of a run that a context belongs to; None outside of a run."""
    try:
        step: StepExecutionContext | None = (
            context.op_execution_context.get_step_execution_context()
            if isinstance(context, dg.AssetExecutionContext | dg.AssetCheckExecutionContext)
            else context.step_context
        )
    except dg.DagsterInvariantViolationError:
        return None
    return step
