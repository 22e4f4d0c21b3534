/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LuCI as far as a protocol's page needs it: prints the options and choices of its form, and its errors. */
'use strict';

var _ = function(text) { return text; };
var L = { bind: function(f, self) { return f.bind(self); } };
var form = { Value: function() {}, ListValue: function() {}, Flag: function() {} };
var fs = { list: function() {} };
var out = [];

var network = {
	registerPatternVirtual: function() {},
	registerErrorCode: function(code) { out.push('error ' + code); },
	registerProtocol: function(name, methods) { out.push('protocol ' + name); return methods; }
};

var section = {
	taboption: function(tab, widget, name) {
		if (widget !== form.Value && widget !== form.ListValue && widget !== form.Flag)
			throw new Error(name + ' has no widget');
		return {
			set ucioption(option) { this.option = option; out.push('option ' + option); },
			value: function(choice) { out.push('choice ' + this.option + ' ' + choice); }
		};
	}
};
