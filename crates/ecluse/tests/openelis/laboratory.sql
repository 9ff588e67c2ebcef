-- An invented laboratory in OpenELIS Global's own schema: 60 patients, 160 orders, some 480 analyses.
-- Every person is invented. What is awkward is meant: orders under way, cancelled and referred analyses,
-- corrected results, several values of one choice, titres, free text, cultures with their antibiograms,
-- patients without a provider, patients and prescribers in one table of persons.
set search_path = clinlims;

insert into person (id, last_name, first_name, middle_name, street_address, city, zip_code, home_phone, cell_phone, email, lastupdated)
select 50000 + p,
       (array['Rasoanaivo', 'Randria', 'Vauquelin', 'N''Guessan', 'Ålesund', 'de la Tour', 'Ōe', 'Kouamé'])[1 + p % 8] || ' ' || p,
       (array['Éléonore', 'Hanitra', 'Zoé', 'Aïcha', 'Jean-Noël', 'Søren', 'Mbola'])[1 + p % 7],
       case when p % 4 = 0 then 'de Sainte-Marie' end,
       p || ' chemin des Canaris', 'Villefictive', lpad(p::text, 5, '0'), '+000 20 ' || p, '+000 33 ' || p,
       'patient' || p || '@invalid.example', '2025-01-01'
from generate_series(1, 60) p;

insert into person (id, last_name, first_name, work_phone, email)
select 51000 + v, 'Prescripteur ' || v, 'Docteure', '+000 99 ' || v, 'prescripteur' || v || '@invalid.example'
from generate_series(1, 6) v;

insert into provider (id, npi, person_id, external_id, active)
select 51100 + v, lpad(v::text, 10, '9'), 51000 + v, 'EXT-' || v, true from generate_series(1, 6) v;

insert into patient (id, person_id, race, gender, birth_date, national_id, external_id, chart_number, entered_birth_date,
                     medicare_id, school_attend, birth_place, fhir_uuid, upid_code, lastupdated)
select 50000 + p, 50000 + p, null, case when p % 5 = 4 then null when p % 2 = 0 then 'F' else 'M' end,
       timestamp '1931-03-01' + p * interval '517 days', 'NAT-' || lpad((p * 7919)::text, 9, '0'), 'EXT-' || p, 'D' || p,
       to_char(timestamp '1931-03-01' + p * interval '517 days', 'DD/MM/YYYY'),
       'MED-' || p, 'École ' || p, 'Villefictive', ('00000000-0000-4000-8000-' || lpad(p::text, 12, '0'))::uuid, 'UPID' || p, '2025-01-01'
from generate_series(1, 60) p;
-- two files of one person, joined by the laboratory
update patient set is_merged = true, merged_into_patient_id = 50001, merge_date = '2025-02-01' where id = 50060;

insert into patient_identity (id, identity_type_id, patient_id, identity_data)
select 52000 + row_number() over (order by p, t), t, 50000 + p,
       case t when 1 then 'NAT-' || lpad((p * 7919)::text, 9, '0') when 9 then 'SUJET-' || p else 'Mère de ' || p end
from generate_series(1, 60) p, unnest(array[1, 9, 4]) t;

insert into organization (id, name, city, is_active, mls_sentinel_lab_flag)
values (52901, 'Laboratoire de référence inventé', 'Villefictive', 'Y', 'N');

insert into sample (id, accession_number, domain, entered_date, received_date, collection_date, released_date, status_id,
                    sys_user_id, client_reference, order_priority, fhir_uuid, gps_latitude, gps_longitude, consent_recorded_by, lastupdated)
select 53000 + s, 'T24' || lpad(s::text, 9, '0'), 'H', d, d + interval '17 minutes', d - interval '1 hour',
       case when s % 7 <> 0 then d + interval '2 days' end,
       case when s % 7 = 0 then 2 when s % 11 = 0 then 12 else 3 end, 1, 'REF-' || s,
       case when s % 10 = 0 then 'STAT' else 'ROUTINE' end, ('00000000-0000-4000-9000-' || lpad(s::text, 12, '0'))::uuid,
       -18.9 + s * 0.001, 47.5, 'agent ' || s, d
from generate_series(1, 160) s, lateral (select timestamp '2023-06-01 08:00:00' + s * interval '5 days 3 hours' as d) t;

insert into sample_human (id, provider_id, samp_id, patient_id, lastupdated)
select 53000 + s, case when s % 9 <> 0 then 51101 + s % 6 end, 53000 + s, 50001 + (s * 7) % 60, '2025-01-01'
from generate_series(1, 160) s;

insert into sample_item (id, sort_order, samp_id, typeosamp_id, uom_id, quantity, external_id, collection_date, status_id, collector,
                         rejected, voided, void_reason, received_date, parent_sample_item_id, collection_conditions)
select 54000 + s * 3 + n, n, 53000 + s, (select min(id) + (case n when 1 then 0 else 1 end) from type_of_sample), null,
       case when s % 5 = 0 then 2.5 else null end, 'T' || s || '-' || n, timestamptz '2023-06-01 07:00:00+03' + s * interval '5 days',
       case when s % 13 = 0 and n = 2 then 19 else 20 end, 'préleveuse ' || s % 4, s % 17 = 0, s % 13 = 0 and n = 2,
       case when s % 13 = 0 and n = 2 then 'tube cassé, appelé Mme Rasoanaivo' end, timestamptz '2023-06-01 08:00:00+03' + s * interval '5 days',
       case when s % 20 = 0 and n = 2 then 54000 + s * 3 + 1 end, null
from generate_series(1, 160) s, generate_series(1, 1 + s % 2 + case when s % 20 = 0 then 1 else 0 end) n;

-- tests by the kind of their results: number, dictionary, text with letters, remark
insert into analysis (id, sampitem_id, test_sect_id, test_id, revision, status, started_date, completed_date, released_date, printed_date,
                      is_reportable, analysis_type, status_id, entry_date, referred_out, corrected, result_calculated, so_send_entry_by, fhir_uuid)
select a, item, (select test_section_id from test where id = k.test), k.test, case when a % 9 = 0 then 1 else 0 end, null, d,
       case when st = 6 then d + interval '1 day' end, case when st = 6 then d + interval '2 days' end, case when a % 3 = 0 then d + interval '2 days' end,
       case when a % 19 = 0 then 'N' else 'Y' end, 'MANUAL', st, d at time zone 'UTC', a % 15 = 0, a % 9 = 0 and st = 6, false,
       case when a % 15 = 0 then 'agent d''envoi' end, ('00000000-0000-4000-a000-' || lpad(a::text, 12, '0'))::uuid
from (select 60000 + i.id * 2 - 108000 + n as a, i.id as item, i.samp_id, n,
             timestamp '2023-06-02' + (i.samp_id - 53000) * interval '5 days' as d
      from sample_item i, generate_series(0, 1) n where i.id between 54000 and 54999) x,
     lateral (select (array[3, 31, 174, 173, 36, 4])[1 + (a + samp_id)::int % 6] as test) k,
     lateral (select case when samp_id % 7 = 0 then 4 when a % 10 = 0 then 14 when (a + samp_id) % 17 = 0 then 15 else 6 end as st) y;

-- numbers with their significant digits, beyond both limits too
insert into result (id, analysis_id, sort_order, is_reportable, result_type, value, min_normal, max_normal, significant_digits, "grouping", lastupdated)
select 70000 + id, id, 0, 'Y', 'N', case when id % 12 = 0 then '0.70' when id % 36 = 6 then '>500' else (4 + (id % 40) / 10.0)::numeric(6, 2)::text end,
       3.9, 'Infinity', 2, 0, '2025-01-01'
from analysis where id >= 60000 and test_id in (3, 4) and status_id in (6, 15);
-- one entry of the dictionary
insert into result (id, analysis_id, sort_order, is_reportable, result_type, value, test_result_id, significant_digits)
select 72000 + a.id, a.id, 0, 'Y', 'D', r.value, r.id, 0 from analysis a,
     lateral (select id, value from test_result where test_id = a.test_id and tst_rslt_type = 'D' order by id offset a.id % 2 limit 1) r
where a.id >= 60000 and a.test_id = 31 and a.status_id in (6, 15);
-- several entries at once, in two groups
insert into result (id, analysis_id, sort_order, is_reportable, result_type, value, significant_digits, "grouping")
select 74000 + a.id * 3 - 180000 + n, a.id, n, 'Y', 'M', (542 + n)::text, 0, n / 2 from analysis a, generate_series(0, 2) n
where a.id >= 60000 and a.test_id = 36 and a.status_id in (6, 15);
-- letters and digits; titres
insert into result (id, analysis_id, sort_order, is_reportable, result_type, value, significant_digits)
select 78000 + id, id, 0, 'Y', case when id % 4 = 0 then 'T' else 'A' end,
       case when id % 4 = 0 then '1:' || (20 * 2 ^ (id % 5))::int else '< 20 copies/mL' end, -1
from analysis where id >= 60000 and test_id = 174 and status_id in (6, 15);
-- cultures: a remark in words, under it the germ, under that its antibiogram
insert into result (id, analysis_id, sort_order, is_reportable, result_type, value, significant_digits)
select 80000 + id, id, 0, 'Y', 'R', 'Culture positive, 10⁵ UFC/mL — « Escherichia coli » (β-lactamase à spectre élargi)', 0
from analysis where id >= 60000 and test_id = 173 and status_id in (6, 15);
insert into result (id, analysis_id, sort_order, is_reportable, result_type, value, parent_id, significant_digits)
select 82000 + (id - 80000) * 2 + n - 120000, analysis_id, 1 + n, 'Y', 'D', (1000 + n)::text, id, 0
from result, generate_series(0, 1) n where result_type = 'R' and id > 80000;

insert into referral (id, analysis_id, organization_id, send_ready_date, sent_date, result_recieved_date, referral_reason_id, referral_type_id,
                      requester_name, canceled, referral_request_date, status, lost_reason)
select id + 30000, id, 52901, '2025-03-01', '2025-03-02', case when id % 2 = 0 then timestamptz '2025-03-20 10:00:00+00' end, 2, 1,
       'Dr Appel', id % 30 = 0, '2025-03-01', 'SENT', null
from analysis where id >= 60000 and referred_out;
insert into referral_result (id, referral_id, test_id, result_id, referral_report_date)
select r.id, r.id, a.test_id, (select min(id) from result where analysis_id = a.id), '2025-03-20'
from referral r join analysis a on a.id = r.analysis_id where r.result_recieved_date is not null;

insert into note (id, sys_user_id, reference_id, reference_table, note_type, subject, text, lastupdated)
select id + 40000, 1, id, 4, case when id % 2 = 0 then 'E' else 'I' end, 'Result Note',
       case when id % 2 = 0 then 'Hémolysé ; à contrôler sur un second prélèvement.' else 'Vu avec Mme Kouamé, elle rappelle lundi.' end, '2025-01-01'
from analysis where id >= 60000 and id % 4 < 2;
insert into note (id, sys_user_id, reference_id, reference_table, note_type, subject, text)
select id + 60000, 1, id, 1, 'E', 'Order Note', 'À jeun : inconnu' from sample where id between 53001 and 53040;

insert into observation_history (id, patient_id, sample_id, observation_history_type_id, value_type, value)
select 53000 + s, 50001 + (s * 7) % 60, 53000 + s, (select min(id) from observation_history_type), 'L', 'grossesse : oui'
from generate_series(1, 160) s;
insert into result_signature (id, result_id, is_supervisor, non_user_name)
select id, id, false, 'Signée Ōe' from result where id >= 70000 and id % 3 = 0;
insert into patient_photo (id, patient_id, photo_data, thumbnail_data, photo_type) values (9, '50001', 'jamais', 'jamais', 'image/png');
