"""`python -m alerting.cli`: the same as the command `alerting`, for whoever knows only the interpreter."""

from alerting.cli import main

# The sweep's children are spawned, which imports this module once more under another name.
if __name__ == "__main__":
    main()
