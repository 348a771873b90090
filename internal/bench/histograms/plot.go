package main

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/liftemf/liftemf/internal/distribution"
)

// plotErrors draws the error of every percentile of one document, with and without a precision.
func plotErrors(path string) error {
	values := sample(shapes[1].make, 2, 100_000)
	sorted := slices.Sorted(slices.Values(values))
	p := plot.New()
	p.Title.Text = "100,000 lognormal values, sigma 1"
	p.X.Label.Text = "percentile"
	p.Y.Label.Text = "error, %"
	p.Y.Min, p.Y.Max = 0, 6
	p.Legend.Top = true
	for _, line := range []struct {
		name    string
		colour  color.Color
		entries []distribution.Entry
	}{
		{"one document", color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}, entriesOf(taken(values))},
		{"Precision(0.01)", color.RGBA{R: 0xd6, G: 0x27, B: 0x28, A: 0xff}, slices.Clone(taken(values).Within(0.01))},
	} {
		var points plotter.XYs
		for q := 0.002; q < 0.9999; q += 0.002 {
			points = append(points, plotter.XY{X: 100 * q, Y: math.Min(off(sorted, line.entries, q), 6)})
		}
		drawn, err := plotter.NewLine(points)
		if err != nil {
			return err
		}
		drawn.Color = line.colour
		p.Add(drawn)
		p.Legend.Add(line.name, drawn)
	}
	return p.Save(16*vg.Centimeter, 8*vg.Centimeter, path)
}
