"""How naive tools are written: one word for each habit, and a sentence for the reader."""

from __future__ import annotations

from enum import Enum


class Habit(Enum):
    """A habit of the naive fixture; the value is what it does."""

    OPENS = "opens the path it is given"
    PREFIX = "compares the beginning of the path as text"
    NAMES = "refuses names that are on a list"
    DECODES = "checks first, decodes afterwards"
    SUFFIX = "goes by the ending of the name"
    SHELL = "gives the script to the host's shell"
    FIRST_WORD = "judges a script by its first word"
    LASTING = "keeps the shell's state outside its checks"
    SHELL_LINE = "puts values into a shell command"
    FLAGS = "puts values where a program looks for flags"
    LOOKS_UP = "looks the tool's name up among all functions"
    REPAIRS = "repairs JSON that was cut"
    OBEYS = "obeys arguments that nobody declared"
    EMPTY_IS_ALL = "takes an empty list for no restriction"
    TEXT_GRANTS = "keeps approvals as lines of text"
    OWN_SETTINGS = "takes its settings from the project"
    ASKS_NOBODY = "says yes when there is nobody to ask"
    BACKTRACKS = "matches patterns by backtracking, without a limit"
    ECHOES = "prints what the model wrote"
    RETRIES = "repeats a call for as long as the model does"
