/* zones.c - the time zone names that Graph takes. */
#include "tests/fake/zones.h"

#include <stddef.h>
#include <strings.h>

/* clang-format off */
static const char *const ZONES[] = {
	"Dateline Standard Time", "UTC-11", "Aleutian Standard Time", "Hawaiian Standard Time",
	"Marquesas Standard Time", "Alaskan Standard Time", "UTC-09",
	"Pacific Standard Time (Mexico)", "UTC-08", "Pacific Standard Time",
	"US Mountain Standard Time", "Mountain Standard Time (Mexico)", "Mountain Standard Time",
	"Yukon Standard Time", "Central America Standard Time", "Central Standard Time",
	"Easter Island Standard Time", "Central Standard Time (Mexico)",
	"Canada Central Standard Time", "SA Pacific Standard Time",
	"Eastern Standard Time (Mexico)", "Eastern Standard Time", "Haiti Standard Time",
	"Cuba Standard Time", "US Eastern Standard Time", "Turks And Caicos Standard Time",
	"Paraguay Standard Time", "Atlantic Standard Time", "Venezuela Standard Time",
	"Central Brazilian Standard Time", "SA Western Standard Time", "Pacific SA Standard Time",
	"Newfoundland Standard Time", "Tocantins Standard Time", "E. South America Standard Time",
	"SA Eastern Standard Time", "Argentina Standard Time", "Greenland Standard Time",
	"Montevideo Standard Time", "Magallanes Standard Time", "Saint Pierre Standard Time",
	"Bahia Standard Time", "UTC-02", "Mid-Atlantic Standard Time", "Azores Standard Time",
	"Cape Verde Standard Time", "UTC", "GMT Standard Time", "Greenwich Standard Time",
	"Sao Tome Standard Time", "Morocco Standard Time", "W. Europe Standard Time",
	"Central Europe Standard Time", "Romance Standard Time", "Central European Standard Time",
	"W. Central Africa Standard Time", "Namibia Standard Time", "Jordan Standard Time",
	"GTB Standard Time", "Middle East Standard Time", "Egypt Standard Time",
	"E. Europe Standard Time", "Syria Standard Time", "West Bank Standard Time",
	"South Africa Standard Time", "FLE Standard Time", "Israel Standard Time",
	"South Sudan Standard Time", "Kaliningrad Standard Time", "Sudan Standard Time",
	"Libya Standard Time", "Arabic Standard Time", "Turkey Standard Time",
	"Arab Standard Time", "Belarus Standard Time", "Russian Standard Time",
	"E. Africa Standard Time", "Iran Standard Time", "Arabian Standard Time",
	"Astrakhan Standard Time", "Azerbaijan Standard Time", "Russia Time Zone 3",
	"Mauritius Standard Time", "Saratov Standard Time", "Georgian Standard Time",
	"Volgograd Standard Time", "Caucasus Standard Time", "Afghanistan Standard Time",
	"West Asia Standard Time", "Ekaterinburg Standard Time", "Pakistan Standard Time",
	"Qyzylorda Standard Time", "India Standard Time", "Sri Lanka Standard Time",
	"Nepal Standard Time", "Central Asia Standard Time", "Bangladesh Standard Time",
	"Omsk Standard Time", "Myanmar Standard Time", "SE Asia Standard Time",
	"Altai Standard Time", "W. Mongolia Standard Time", "North Asia Standard Time",
	"N. Central Asia Standard Time", "Tomsk Standard Time", "China Standard Time",
	"North Asia East Standard Time", "Singapore Standard Time", "W. Australia Standard Time",
	"Taipei Standard Time", "Ulaanbaatar Standard Time", "Aus Central W. Standard Time",
	"Transbaikal Standard Time", "Tokyo Standard Time", "North Korea Standard Time",
	"Korea Standard Time", "Yakutsk Standard Time", "Cen. Australia Standard Time",
	"AUS Central Standard Time", "E. Australia Standard Time", "AUS Eastern Standard Time",
	"West Pacific Standard Time", "Tasmania Standard Time", "Vladivostok Standard Time",
	"Lord Howe Standard Time", "Bougainville Standard Time", "Russia Time Zone 10",
	"Magadan Standard Time", "Norfolk Standard Time", "Sakhalin Standard Time",
	"Central Pacific Standard Time", "Russia Time Zone 11", "New Zealand Standard Time",
	"UTC+12", "Fiji Standard Time", "Kamchatka Standard Time",
	"Chatham Islands Standard Time", "UTC+13", "Tonga Standard Time", "Samoa Standard Time",
	"Line Islands Standard Time",
	"Etc/GMT+12", "Etc/GMT+11", "Pacific/Honolulu", "America/Anchorage",
	"America/Santa_Isabel", "America/Los_Angeles", "America/Phoenix", "America/Chihuahua",
	"America/Denver", "America/Guatemala", "America/Chicago", "America/Mexico_City",
	"America/Regina", "America/Bogota", "America/New_York", "America/Indiana/Indianapolis",
	"America/Caracas", "America/Asuncion", "America/Halifax", "America/Cuiaba",
	"America/La_Paz", "America/Santiago", "America/St_Johns", "America/Sao_Paulo",
	"America/Argentina/Buenos_Aires", "America/Cayenne", "America/Godthab",
	"America/Montevideo", "America/Bahia", "Etc/GMT+2", "Atlantic/Azores",
	"Atlantic/Cape_Verde", "Africa/Casablanca", "Etc/GMT", "Etc/UTC", "Europe/London",
	"Atlantic/Reykjavik", "Europe/Berlin", "Europe/Budapest", "Europe/Paris", "Europe/Warsaw",
	"Africa/Lagos", "Africa/Windhoek", "Europe/Bucharest", "Asia/Amman", "Asia/Beirut",
	"Africa/Cairo", "Asia/Damascus", "Africa/Johannesburg", "Europe/Kyiv", "Europe/Kiev",
	"Europe/Istanbul", "Asia/Jerusalem", "Europe/Kaliningrad", "Africa/Tripoli",
	"Asia/Baghdad", "Asia/Riyadh", "Europe/Minsk", "Europe/Moscow", "Africa/Nairobi",
	"Asia/Tehran", "Asia/Dubai", "Asia/Baku", "Europe/Samara", "Indian/Mauritius",
	"Asia/Tbilisi", "Asia/Yerevan", "Asia/Kabul", "Asia/Tashkent", "Asia/Yekaterinburg",
	"Asia/Karachi", "Asia/Kolkata", "Asia/Calcutta", "Asia/Colombo", "Asia/Kathmandu",
	"Asia/Almaty", "Asia/Dhaka", "Asia/Novosibirsk", "Asia/Yangon", "Asia/Bangkok",
	"Asia/Krasnoyarsk", "Asia/Shanghai", "Asia/Irkutsk", "Asia/Singapore", "Australia/Perth",
	"Asia/Taipei", "Asia/Ulaanbaatar", "Asia/Tokyo", "Asia/Seoul", "Asia/Yakutsk",
	"Australia/Adelaide", "Australia/Darwin", "Australia/Brisbane", "Australia/Sydney",
	"Pacific/Port_Moresby", "Australia/Hobart", "Asia/Vladivostok", "Asia/Magadan",
	"Asia/Srednekolymsk", "Pacific/Guadalcanal", "Pacific/Auckland", "Etc/GMT-12",
	"Pacific/Fiji", "Asia/Kamchatka", "Pacific/Tongatapu", "Pacific/Apia",
	"Pacific/Kiritimati", "Europe/Amsterdam", "Europe/Athens", "Europe/Brussels",
	"Europe/Copenhagen", "Europe/Dublin", "Europe/Helsinki", "Europe/Lisbon",
	"Europe/Ljubljana", "Europe/Luxembourg", "Europe/Madrid", "Europe/Oslo", "Europe/Prague",
	"Europe/Riga", "Europe/Rome", "Europe/Sofia", "Europe/Stockholm", "Europe/Tallinn",
	"Europe/Vienna", "Europe/Vilnius", "Europe/Zagreb", "Europe/Zurich",
};
/* clang-format on */

const char *zones_find(const char *name)
{
	for (size_t i = 0; i < sizeof ZONES / sizeof *ZONES; i++) {
		if (strcasecmp(ZONES[i], name) == 0) {
			return ZONES[i];
		}
	}
	return NULL;
}
