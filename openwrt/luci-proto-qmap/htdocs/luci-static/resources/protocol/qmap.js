/* SPDX-License-Identifier: GPL-2.0-or-later */
'use strict';
'require form';
'require fs';
'require network';

/* Errors of the protocol handler; the words behind them are in openwrt/README.md. */
var errors = {
	NO_DEVICE: _('There is no such modem'),
	NO_DAEMON: _('qmapd is not running'),
	INVALID_CONFIG: _('qmapd refuses a value; the log has the reason'),
	PDN_IN_USE: _('Another interface has this PDN of this modem'),
	CONFLICTING_OPTIONS: _('Interfaces of one modem have different settings for it'),
	PIN_NOT_SPECIFIED: _('The SIM wants its PIN'),
	PIN_FAILED: _('The PIN is wrong, and is not tried again'),
	PUK_NEEDED: _('The SIM wants its PUK'),
	NO_SIM: _('There is no SIM'),
	SIM_NOT_INITIALIZED: _('The SIM is not ready'),
	SIM_NETWORK_LOCKED: _('The modem is locked to another network'),
	RADIO_OFF: _('The radio is off'),
	ROAMING: _('The modem roams, which is not allowed'),
	NETWORK_REGISTRATION_FAILED: _('The modem is not registered with a network'),
	CALL_FAILED: _('The network has refused or ended the call'),
	MODEM_NOT_READY: _('The modem is not ready')
};

/* Options in their order: tab, name, widget, title, and what is set in the widget. */
var options = [
	[ 'general', 'device', form.Value, _('Modem'), { rmempty: false } ],
	[ 'general', 'pdn', form.Value, _('PDN'),
		{ datatype: 'range(1,254)', placeholder: '1', description: _('Another one for each interface of a modem.') } ],
	[ 'general', 'apn', form.Value, _('APN') ],
	[ 'general', 'pincode', form.Value, _('PIN'), { password: true } ],
	[ 'general', 'pdptype', form.ListValue, _('IP families'),
		{ choices: { ipv4v6: 'IPv4/IPv6', ipv4: 'IPv4', ipv6: 'IPv6' } } ],
	[ 'general', 'auth', form.ListValue, _('Authentication'),
		{ optional: true, choices: { none: _('none'), pap: 'PAP', chap: 'CHAP', both: 'PAP/CHAP' } } ],
	[ 'general', 'username', form.Value, _('User name') ],
	[ 'general', 'password', form.Value, _('Password'), { password: true } ],
	[ 'advanced', 'roaming', form.ListValue, _('Data while the modem roams'), { choices: { on: _('yes'), off: _('no') } } ],
	[ 'advanced', 'datapath', form.ListValue, _('Data path'),
		{ choices: { auto: _('automatic'), usb: 'usb', shim: 'shim', xdp: 'xdp', rmnet: 'rmnet', qmimux: 'qmimux' } } ],
	[ 'advanced', 'qmap', form.ListValue, _('QMAP version'),
		{ choices: { auto: _('automatic'), v5: 'v5', v4: 'v4', v1: 'v1', off: _('off') } } ],
	[ 'advanced', 'dl_max_bytes', form.Value, _('Largest downlink aggregate'), { datatype: 'uinteger' } ],
	[ 'advanced', 'dl_max_datagrams', form.Value, _('Most packets in one'), { datatype: 'uinteger' } ],
	[ 'advanced', 'mux', form.Value, _('Mux id'), { datatype: 'range(1,254)' } ],
	[ 'advanced', 'profile', form.Value, _('Profile of the modem'), { datatype: 'range(1,255)' } ],
	[ 'advanced', 'control', form.Value, _('Control device'), { placeholder: _('that of the modem') } ],
	[ 'advanced', 'mtu', form.Value, _('Largest MTU'), { datatype: 'max(9200)' } ],
	[ 'advanced', 'poll', form.Value, _('Seconds between two polls'), { datatype: 'uinteger' } ],
	[ 'advanced', 'watchdog', form.Value, _('Seconds without a packet until the link is checked'), { datatype: 'uinteger' } ],
	[ 'advanced', 'recover', form.Value, _('Measures for a dead link'), { placeholder: 'redial,radio,reset,usb' } ],
	[ 'advanced', 'steer', form.Value, _('CPUs for received packets'), { placeholder: 'auto' } ],
	[ 'advanced', 'timeout', form.Value, _('Seconds that a request may take'), { datatype: 'uinteger' } ],
	[ 'advanced', 'defaultroute', form.Flag, _('Use as default route'), { default: '1' } ],
	[ 'advanced', 'metric', form.Value, _('Metric'), { datatype: 'uinteger', placeholder: '0' } ],
	[ 'advanced', 'peerdns', form.Flag, _('Use DNS servers of the network'), { default: '1' } ],
	[ 'advanced', 'sourcefilter', form.Flag, _('IPv6 default route for addresses of this network only'), { default: '1' } ],
	[ 'advanced', 'extendprefix', form.Flag, _('IPv6 prefix of the network for the LAN'), { default: '1' } ]
];

function addOption(section, tab, name, widget, title, settings) {
	/* LuCI has a `device` of its own in this form. */
	var o = section.taboption(tab, widget, name == 'device' ? '_modem_device' : name, title);

	o.ucioption = name;
	Object.keys(settings || {}).forEach(function(key) {
		if (key == 'choices')
			Object.keys(settings.choices).forEach(function(choice) { o.value(choice, settings.choices[choice]); });
		else
			o[key] = settings[key];
	});
	return o;
}

function offerModems(o) {
	o.load = function(section_id) {
		return L.resolveDefault(fs.list('/dev'), []).then(L.bind(function(files) {
			files.forEach(L.bind(function(file) {
				if (/^cdc-wdm/.test(file.name))
					this.value('/dev/' + file.name);
			}, this));
			return form.Value.prototype.load.apply(this, [ section_id ]);
		}, this));
	};
}

network.registerPatternVirtual(/^qmap-.+$/);
Object.keys(errors).forEach(function(code) { network.registerErrorCode(code, errors[code]); });

return network.registerProtocol('qmap', {
	getI18n: function() { return _('QMAP modem (qmapd)'); },
	getIfname: function() { return this._ubus('l3_device') || 'qmap-%s'.format(this.sid); },
	getPackageName: function() { return 'qmapd'; },
	getOpkgPackage: function() { return 'qmapd'; },
	isFloating: function() { return true; },
	isVirtual: function() { return true; },
	getDevices: function() { return null; },
	containsDevice: function(ifname) { return network.getIfnameOf(ifname) == this.getIfname(); },

	renderFormOptions: function(s) {
		options.forEach(function(option) {
			var o = addOption.apply(null, [ s ].concat(option));

			if (option[1] == 'device')
				offerModems(o);
		});
	}
});
