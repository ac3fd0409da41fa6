"""Plots: one description of each, written as SVG and as a drawing for PDF, with its table."""
