"""`python -m alerting.cli`: the same as the command `alerting`, for whoever knows only the interpreter."""

from alerting.cli import main

main()
