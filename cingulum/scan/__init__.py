"""Registers an existing ONE tree where it lies: a folder, what a server knows of it, and the difference."""

from cingulum.scan.planner import Planner
from cingulum.scan.planning import FileAction, Plan, PlannedSession, plan_session
from cingulum.scan.scanner import Result, Scanner
from cingulum.scan.server import Catalogue, Repository, ScanRefused, Server
from cingulum.scan.tree import FileProblem, ListedFile, Tree, TreeFile, TreeSession, add_folders, read_tree

__all__ = [
    "Catalogue",
    "FileAction",
    "FileProblem",
    "ListedFile",
    "Plan",
    "PlannedSession",
    "Planner",
    "Repository",
    "Result",
    "ScanRefused",
    "Scanner",
    "Server",
    "Tree",
    "TreeFile",
    "TreeSession",
    "add_folders",
    "plan_session",
    "read_tree",
]
