"""Who answers in a session, and what an answer may lend at most, from settings and configuration.

Guarantees: a policy comes before everybody else; a policy file that the run could write, or that
lies in its workspace, is refused. Does not: mint.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from capbox.authority.authority import Authority, AuthorityError
from capbox.authority.decision import AuthorityId
from capbox.authority.grant import Grant, NameSelector, PathSelector
from capbox.authority.paths import WORKSPACE, GrantPath, under
from capbox.authority.web.places import ANY_HOST, FetchSelector
from capbox.engine.approvers.automatic import AutoApprover
from capbox.engine.approvers.denial import denied_in, without
from capbox.engine.approvers.policy import Policy, PolicyApprover, read_policy
from capbox.engine.approvers.queue import QueueApprover
from capbox.engine.operator import Operator
from capbox.engine.presets import Preset, preset
from capbox.engine.principal import Asked, resolve
from capbox.engine.settings import Settings, SettingsError
from capbox.gate.approver import Approver


@dataclass(frozen=True, slots=True)
class Front:
    """Who is asked first, and the queue in which questions to people can be answered, if any.

    `ceiling` is what was given, without what the policy denies.
    """

    ceiling: Authority
    approver: Approver | None
    board: QueueApprover | None


def choose(
    settings: Settings,
    operator: Operator,
    asked: Asked,
    ceiling: Authority,
    approver: Approver | None,
) -> Front:
    """Return who answers: the policy, then `auto`, or people. Raises SettingsError."""
    policy = _policy(settings, operator, asked)
    if policy is not None:
        ceiling = _without(ceiling, policy)
    chosen = preset(settings.preset)
    board = None
    if isinstance(chosen, Preset) and chosen.automatic:
        approver = AutoApprover(ceiling)
    elif approver is not None:
        # A question can be answered from another terminal too; the first answer counts.
        if not isinstance(approver, QueueApprover):
            approver = QueueApprover(None, beside=approver)
        board = approver
    if policy is not None:
        approver = PolicyApprover(policy, approver)
    return Front(ceiling, approver, board)


def default_ceiling(*, web: bool, functions: Iterable[str] = ()) -> tuple[Grant, ...]:
    """Return what may be lent where the operator says nothing: the workspace, and public hosts.

    So may these `functions` of the program, to guests.
    """
    schemes = ("http", "https") if web else ()
    hosts = (FetchSelector((), scheme, ANY_HOST, (1, 65_535)) for scheme in schemes)
    everything = Grant("write", PathSelector(GrantPath(WORKSPACE)))
    invoked = (Grant("invoke", NameSelector(name)) for name in functions)
    return (everything, *(Grant("fetch", host) for host in hosts), *invoked)


def ceiling_grants(settings: Settings, texts: tuple[str, ...], where: str) -> tuple[Grant, ...]:
    """Return a ceiling's grants, resolved like any other; `where` they stand is for messages.

    Raises SettingsError.
    """
    bare = Settings(workspace=settings.workspace, grants=texts, environ=settings.environ)
    try:
        return resolve(bare).grants
    except SettingsError as error:
        raise SettingsError(where, str(error)) from error


def _without(ceiling: Authority, policy: Policy) -> Authority:
    if not policy.deny:
        return ceiling
    left = without((minted.grant for minted in ceiling.grants), policy.deny)
    found = ceiling.attenuate(left, id=AuthorityId(f"{ceiling.id}/policy"), now=time.time())
    if isinstance(found, AuthorityError):
        raise SettingsError("[policy] deny", found.message)
    return found


def _policy(settings: Settings, operator: Operator, asked: Asked) -> Policy | None:
    """Return the policy that holds here; what it allows is without what it denies."""
    policy = _named(settings, operator, asked)
    if policy is None:
        return None
    deny = denied_in(policy.deny, asked.layout)
    return replace(policy, allow=without(policy.allow, deny), deny=deny)


def _named(settings: Settings, operator: Operator, asked: Asked) -> Policy | None:
    if settings.policy is None:
        return operator.policy
    file = settings.policy
    path = asked.layout.canonical(os.path.realpath(file))
    if under(path, WORKSPACE):
        raise SettingsError(f"--policy {file}", "lies in the workspace: what works there writes it")
    for grant in asked.grants:
        if grant.action == "write" and grant.path is not None and under(path, grant.path):
            raise SettingsError(f"--policy {file}", f"{grant} would let the run write it")
    given = read_policy(file)
    if operator.policy is None:
        return given
    # What the operator denies stays denied, whoever names another file.
    return replace(given, deny=(*operator.policy.deny, *given.deny))
