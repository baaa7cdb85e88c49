"""One process's way to Bitwarden: the client, the projects by name, and the names that are there.

Rules this file keeps:
- Nothing is asked before it is needed, and projects once.
- Names come without values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import NothingConfigured, VaultError
from bitwarden_vault.formats import Server
from bitwarden_vault.nouns import Caller, SecretName
from bitwarden_vault.settings import Settings, read_settings
from bitwarden_vault.token_remarks import remarks_on_tokens
from credential_rotation.background import ahead
from credential_rotation.errors import BadInput, RotationError
from credential_rotation.journal.journal import Journal
from credential_rotation.journal.projects import Projects
from credential_rotation.journal.records import RecordName, read_key
from credential_rotation.journal.vault_complaints import EVERYWHERE, in_rotation_words, translated
from credential_rotation.model import Credential
from credential_rotation.settings import JOURNAL, TOKEN

_CONN_TYPES = {"postgres": "postgres", "aws_iam": "aws"}
_EXTRA = {"sslmode": "sslmode", "region": "region_name"}
"""Settings of a target that a first Airflow connection repeats in its extra, and their names there."""


@dataclass(slots=True)
class BitwardenAccess:
    """What `environ` says of Bitwarden, and what is asked there."""

    environ: Mapping[str, str] = field(repr=False)
    journal_name: str | None
    caller: Caller | None = None
    _client: VaultClient | None = field(default=None, init=False, repr=False)
    _projects: Projects | None = field(default=None, init=False, repr=False)
    _asked: Callable[[], tuple[SecretName, ...]] | None = field(default=None, init=False, repr=False)

    def insist_on_settings(self) -> None:
        """Ask nobody, and raise BadInput where settings are missing or contradict each other."""
        self.client  # noqa: B018 - settings that cannot work raise here
        self._journal_is_named()

    @property
    def client(self) -> VaultClient:
        """Raises: BadInput (settings that cannot work)."""
        if self._client is None:
            caller = replace(self.caller or Caller(), keeps_nothing=True)  # an attempt waits for no attempt
            self._client = VaultClient(self._settings(), caller)
        return self._client

    def remarks_on_tokens(self, *, good_too: bool = False) -> tuple[str, ...]:
        """What people should know of the access tokens. Raises: BadInput (settings that cannot work)."""
        return tuple(remarks_on_tokens(self._settings(), self.caller, good_too=good_too))

    # --- projects --------------------------------------------------------------------------------------

    @property
    def projects(self) -> Projects:
        """The vault's projects, by their names: one for the whole run, which lists them once."""
        if self._projects is None:
            self._projects = Projects(self.client)
        return self._projects

    def project_of(self, credential: Credential) -> str | None:
        """None where it cannot be told: then the entry's own attempt says why, and the others go on."""
        try:
            return self.projects.id_of(credential.vault.project, what=credential.name)
        except RotationError:
            return None

    def journal_project(self) -> str:
        """The id of the journal's project. Raises: BadInput, VaultTrouble."""
        return self.projects.id_of(self._journal_is_named(), what=JOURNAL)

    def journal(self, credential: Credential) -> Journal:
        """The entry's part of the vault. Raises: BadInput, VaultTrouble."""
        project = self.projects.id_of(credential.vault.project, what=credential.name)
        journal = self.journal_project()
        if project == journal:
            raise BadInput(
                f"{credential.name}: its project {credential.vault.project!r} is the journal itself",
                next_step="Keep records where consumers cannot read: ROTATION_JOURNAL_PROJECT names a "
                "project of its own.",
            )
        return Journal(credential, self.client, project, journal, _server(credential))

    # --- names -----------------------------------------------------------------------------------------

    def names(self) -> tuple[SecretName, ...]:
        """Everything that the machine account can see, without values. Raises: VaultTrouble, BadInput."""
        asked, self._asked = self._asked, None
        return asked() if asked else self._names()

    def ask_for_names(self) -> None:
        """Begin to ask: `names` is wanted next, and there is something else to do until then."""
        try:
            self.insist_on_settings()
        except RotationError:
            return  # told where they are wanted
        self._asked = ahead(self._names)

    def records(self, names: Iterable[SecretName]) -> tuple[RecordName, ...]:
        """The records among these names. Raises: VaultTrouble, BadInput."""
        journal = self.journal_project()
        keys = (read_key(name.id, name.key) for name in names if name.project_id == journal)
        return tuple(key for key in keys if key is not None)

    def _names(self) -> tuple[SecretName, ...]:
        client = self.client
        with in_rotation_words(""):
            return client.list_secrets()

    def _settings(self) -> Settings:
        try:
            return read_settings(self.environ, prefer_token=TOKEN)
        except NothingConfigured as nothing:
            raise BadInput(nothing.message, next_step=EVERYWHERE) from None
        except VaultError as wrong:
            raise translated("", wrong) from None

    def _journal_is_named(self) -> str:
        if self.journal_name is None:
            raise BadInput(
                f"{JOURNAL} is not set: there is no place for records",
                next_step="Make a Bitwarden project of its own that only the rotation's machine account can "
                f"read and write, and set {JOURNAL} to its name.",
            )
        return self.journal_name


def _server(credential: Credential) -> Server:
    settings = credential.target.settings
    return Server(
        conn_type=_CONN_TYPES.get(credential.engine, credential.engine),
        host=credential.target.host,
        port=int(settings["port"]) if settings.get("port", "").isdecimal() else None,
        database=settings.get("dbname"),
        extra={theirs: settings[name] for name, theirs in _EXTRA.items() if name in settings},
    )
