"""Hosts on which anybody has an account: what is sent there, a stranger may be the one to read.

A table of well-known ones, not a judgement on others: a host that is not listed is not safe for
that. Names begin with `*.` where every host below belongs to a different customer.
"""

from __future__ import annotations

from capbox.authority.web.places import FetchSelector

SHARED: dict[str, str] = {
    # Code hosting: a gist, an issue, a repository of anybody's.
    "github.com": "anybody's repositories",
    "api.github.com": "anybody's repositories, issues and gists",
    "gist.github.com": "anybody's gists",
    "uploads.github.com": "anybody's releases",
    "raw.githubusercontent.com": "anybody's repositories",
    "gist.githubusercontent.com": "anybody's gists",
    "*.github.io": "anybody's pages",
    "gitlab.com": "anybody's repositories",
    "*.gitlab.io": "anybody's pages",
    "bitbucket.org": "anybody's repositories",
    "api.bitbucket.org": "anybody's repositories",
    "codeberg.org": "anybody's repositories",
    "huggingface.co": "anybody's repositories",
    # Storage and functions of the clouds: every customer has a bucket there.
    "*.amazonaws.com": "every customer's buckets and functions",
    "*.lambda-url.us-east-1.on.aws": "every customer's functions",
    "storage.googleapis.com": "every customer's buckets",
    "*.storage.googleapis.com": "every customer's buckets",
    "*.cloudfunctions.net": "every customer's functions",
    "*.run.app": "every customer's services",
    "*.appspot.com": "every customer's services",
    "*.firebaseio.com": "every customer's databases",
    "*.blob.core.windows.net": "every customer's storage",
    "*.azurewebsites.net": "every customer's services",
    "*.digitaloceanspaces.com": "every customer's buckets",
    "*.r2.cloudflarestorage.com": "every customer's buckets",
    "*.r2.dev": "every customer's buckets",
    "*.workers.dev": "every customer's functions",
    "*.pages.dev": "every customer's pages",
    "*.vercel.app": "every customer's services",
    "*.netlify.app": "every customer's pages",
    "*.herokuapp.com": "every customer's services",
    "*.fly.dev": "every customer's services",
    "*.onrender.com": "every customer's services",
    # Places made to receive, or to lead on to a machine of anybody's.
    "pastebin.com": "anybody's pastes",
    "paste.rs": "anybody's pastes",
    "webhook.site": "anybody's inbox for requests",
    "requestbin.com": "anybody's inbox for requests",
    "*.requestcatcher.com": "anybody's inbox for requests",
    "*.pipedream.net": "anybody's inbox for requests",
    "*.oast.fun": "anybody's inbox for requests",
    "*.interact.sh": "anybody's inbox for requests",
    "*.ngrok.io": "a tunnel to anybody's machine",
    "*.ngrok.app": "a tunnel to anybody's machine",
    "*.ngrok-free.app": "a tunnel to anybody's machine",
    "*.trycloudflare.com": "a tunnel to anybody's machine",
    "*.loca.lt": "a tunnel to anybody's machine",
    "transfer.sh": "anybody's files",
    "file.io": "anybody's files",
    "0x0.st": "anybody's files",
    "ntfy.sh": "anybody's topics",
    # Chats, mail and documents: the path says whose.
    "hooks.slack.com": "every workspace's channels",
    "slack.com": "every workspace's channels",
    "discord.com": "anybody's channels (/api/webhooks)",
    "discordapp.com": "anybody's channels (/api/webhooks)",
    "api.telegram.org": "anybody's bots",
    "*.webhook.office.com": "every customer's channels",
    "docs.google.com": "anybody's documents and forms",
    "forms.gle": "anybody's forms",
    "script.google.com": "anybody's scripts",
    "www.googleapis.com": "anybody's drives and mail",
    "gmail.googleapis.com": "any mailbox",
    "api.notion.com": "anybody's pages",
    "api.airtable.com": "anybody's tables",
    "api.dropboxapi.com": "anybody's files",
    "content.dropboxapi.com": "anybody's files",
    "graph.microsoft.com": "anybody's mail and files",
    "api.mailgun.net": "mail to anybody",
    "api.sendgrid.com": "mail to anybody",
    "pypi.org": "anybody's packages",
    "upload.pypi.org": "anybody's packages",
    "registry.npmjs.org": "anybody's packages",
}


def shared_by(selector: FetchSelector) -> str | None:
    """Return who else may be behind a granted host; None if the table does not know it."""
    host = selector.host
    if selector.path is not None and selector.path.strip("/"):
        return None  # the path says whose it is
    if host in SHARED:
        return SHARED[host]
    if host.startswith(("s3.", "s3-")) and host.endswith(".amazonaws.com"):
        return SHARED["*.amazonaws.com"]
    # A grant of one customer's own host (`mine.s3.amazonaws.com`) names whose it is.
    if not host.startswith("*."):
        return None
    above = host[2:]
    while above:
        if f"*.{above}" in SHARED:
            return SHARED[f"*.{above}"]
        above = above.partition(".")[2]
    return None
