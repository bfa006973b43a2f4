"""The database: tables, and one module of functions per aggregate. Functions take a session and never commit."""
