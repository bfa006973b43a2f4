"""Every way out of the service; knows nothing of `alerting` and could be published alone."""
