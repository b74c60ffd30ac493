"""The window: an app in the browser, on this machine alone. Needs the extra ``app``."""
