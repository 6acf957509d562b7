"""The science, repeatable: labelled sets, methods, metrics, reports."""
