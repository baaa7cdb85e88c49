"""Two accounts that make keys, simulated and on AWS's stand-in, as one contract sees them."""

from __future__ import annotations

from credential_rotation.model import Secret
from credential_rotation.protocols import KeyRotator
from sandbox.aws import AwsStandIn, Fault
from scenes.aws_iam.user import IamScene
from simulators.keys import CLAIM, USER, SimKeyTarget
from simulators.world import Fault as PlannedFault
from simulators.world import World


class SimulatedKeys:
    """The account in memory."""

    def __init__(self) -> None:
        self.world = World()
        self.target = SimKeyTarget(self.world)
        self.rotator: KeyRotator = self.target
        self.user, self.first = USER, self.target.first

    def accepts(self, secret: Secret) -> bool:
        return self.target.accepts(secret)

    def make_by_hand(self) -> Secret:
        return self.target.make_by_hand()

    def lose_the_next_answer(self) -> None:
        """Carried out, and nobody is told."""
        self.world.fault = PlannedFault(len(self.world.calls) + 1, "answer lost")

    def let_the_claim_run_out(self) -> None:
        """Which it does by itself."""
        self.world.pass_time(CLAIM)

    def keep_no_trail(self) -> None:
        self.target.trail_tells = False


class AwsKeys:
    """A user on AWS's stand-in."""

    def __init__(self, aws: AwsStandIn, *, itself: bool) -> None:
        self.scene = IamScene(aws, itself=itself)
        self.rotator: KeyRotator = self.scene.rotator()
        self.user, self.first = self.scene.user, self.scene.first

    def accepts(self, secret: Secret) -> bool:
        return self.scene.aws.works(secret.login, secret.password)

    def make_by_hand(self) -> Secret:
        key_id, password = self.scene.aws.create_key(self.user)
        return Secret(self.user, password, key_id)

    def lose_the_next_answer(self) -> None:
        """Of a request that changes something."""
        self.scene.aws.fault(Fault("drop_after", "iam:[CUD]*AccessKey", times=1))

    def let_the_claim_run_out(self) -> None:
        self.scene.gate.runs_out = True

    def keep_no_trail(self) -> None:
        self.scene.may(without=["cloudtrail:LookupEvents"])


KeySide = SimulatedKeys | AwsKeys
