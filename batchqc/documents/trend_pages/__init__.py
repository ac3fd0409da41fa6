"""Pages of trends: plain HTML from plots and figures, for a folder of files and for a server."""
