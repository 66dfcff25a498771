"""Welfare rules: whether an animal is at risk, and how much water is due. No files, no clock."""

from cingulum.welfare.alerts import Alert, AlertKind, Decision, alerts, free_days, repeats, training_alert
from cingulum.welfare.assess import Assessment, assess, assess_days, assess_many, daily
from cingulum.welfare.doubt import doubts
from cingulum.welfare.explain import explain
from cingulum.welfare.forecast import Forecast, forecast
from cingulum.welfare.history import History, Implant, InvalidHistory, Restriction, Water, Weighing
from cingulum.welfare.policy import ALYX, CINGULUM, POLICIES, InvalidPolicy, LabPolicy, Phase, Rules, rules_of
from cingulum.welfare.table import Columns

__all__ = [
    "ALYX",
    "CINGULUM",
    "POLICIES",
    "Alert",
    "AlertKind",
    "Assessment",
    "Columns",
    "Decision",
    "Forecast",
    "History",
    "Implant",
    "InvalidHistory",
    "InvalidPolicy",
    "LabPolicy",
    "Phase",
    "Restriction",
    "Rules",
    "Water",
    "Weighing",
    "alerts",
    "assess",
    "assess_days",
    "assess_many",
    "daily",
    "doubts",
    "explain",
    "forecast",
    "free_days",
    "repeats",
    "rules_of",
    "training_alert",
]
