-- A project with :items items and :rounds rounds of 50, two answers an item, 20 classes.
INSERT INTO items (project_id, external_id, fields, split, text_hash)
SELECT :project, 'i' || n,
       jsonb_build_object('text', 'where is parcel number ' || n || ', which I ordered last week'),
       CASE WHEN n <= 2000 THEN 'test' ELSE 'pool' END, decode(md5(cast(n AS text)), 'hex')
FROM generate_series(1, :items) n;
UPDATE items SET duplicate_of = id - 1 WHERE project_id = :project AND split = 'pool' AND id % 20 = 0;
UPDATE projects SET items_changed_at = clock_timestamp() WHERE id = :project;
INSERT INTO imports (project_id, source, report, actor)
SELECT :project, 'part-' || n || '.jsonl', jsonb_build_object('received', 100000, 'created', 100000,
       'updated', 0, 'unchanged', 0, 'duplicates', 5000, 'labelled', 200, 'rejected', 0,
       'rejections', cast('[]' AS jsonb), 'notes', cast('[]' AS jsonb)), 'bench'
FROM generate_series(1, 10) n;
INSERT INTO feature_versions (project_id, version, recipe, items, path, sha256, items_as_of)
VALUES (:project, 'f1', 'words', :items, 'nowhere', 'none', now());
INSERT INTO classifier_versions (project_id, number, name, fingerprint, feature_version_id, labels,
       seed, path, sha256, report, libraries)
SELECT :project, n, 'linear.v1', 'p' || n, (SELECT max(id) FROM feature_versions), 50 * n, n,
       'nowhere', 'none', '{}', '{}'
FROM generate_series(1, :rounds) n;
INSERT INTO datasets (project_id, schema_version, dataset_id, annotate_url)
VALUES (:project, 1, gen_random_uuid(), 'http://127.0.0.1/dataset/1/annotation-mode?status=pending');
INSERT INTO rounds (project_id, number, state, strategy, classifier, batch_size, seed, settings,
       classifier_id, result_id, dataset_id, checkpoint, actor, closed_at)
SELECT :project, n, 'closed', 'margin_diversity.v2', 'linear.v1', 50, n,
       jsonb_build_object('overlap', 2, 'audit_overlap', NULL, 'closing',
           jsonb_build_object('share', 1, 'hours', 168)),
       lag(c.id) OVER (ORDER BY n), c.id, (SELECT max(id) FROM datasets),
       jsonb_build_object('labelled', 50 * n, 'unlabelled', :items - 50 * n, 'features_id',
           (SELECT max(id) FROM feature_versions), 'closed_by', 'all_answered'), 'bench', now()
FROM generate_series(1, :rounds) n
JOIN classifier_versions c ON c.project_id = :project AND c.number = n;
INSERT INTO steps (round_id, name, worker, fence, started_at, detail)
SELECT r.id, s.name, 'worker', 1, now() - interval '1 s', '{"findings": []}'
FROM rounds r, unnest(ARRAY['planned', 'training', 'scoring', 'selecting', 'pushing', 'annotating',
                            'merging', 'evaluating']) s (name)
WHERE r.project_id = :project;
INSERT INTO selections (project_id, round_id, item_id, rank, slice, strategy, score, uncertainty,
       reason, draw_probability, prediction, confidence, classifier_id)
SELECT :project, r.id, i.id, p.rank, CASE WHEN p.rank % 5 = 0 THEN 'audit' ELSE 'active' END,
       'margin_diversity.v2', 1.0 / p.rank, 0.5, 'torn between class 01 0.38 and class 02 0.35',
       CASE WHEN p.rank % 5 = 0 THEN 0.00001 END,
       jsonb_build_object('label', 'class ' || lpad(cast(p.rank % 20 AS text), 2, '0')), 0.6, r.result_id
FROM rounds r, generate_series(1, 50) p (rank),
LATERAL (SELECT min(id) + 2100 + r.number * 50 + p.rank AS id FROM items
         WHERE project_id = :project) i
WHERE r.project_id = :project;
INSERT INTO pushes (selection_id, project_id, round_id, waits_in, item_id, state, record_id,
       pushed_at)
SELECT id, project_id, round_id, round_id, item_id, 'pushed', gen_random_uuid(), now()
FROM selections WHERE project_id = :project;
INSERT INTO annotations (project_id, item_id, selection_id, argilla_dataset_id, response_id, user_id,
       username, status, "values", response_inserted_at, response_updated_at)
SELECT :project, s.item_id, s.id, (SELECT dataset_id FROM datasets LIMIT 1), gen_random_uuid(),
       cast(md5('user' || (s.rank + u.n) % 6) AS uuid), 'annotator-' || (s.rank + u.n) % 6, 'submitted',
       jsonb_build_object('label', 'class ' ||
           lpad(cast((s.rank + (s.rank % 9) * u.n / 8) % 20 AS text), 2, '0')),
       now() - s.id * interval '20 s', now() - s.id * interval '20 s'
FROM selections s, generate_series(0, 1) u (n) WHERE s.project_id = :project;
INSERT INTO labels (project_id, item_id, value, source, round_id, annotation_ids, annotators)
SELECT :project, s.item_id, cast(min(cast(a."values" AS text)) AS jsonb), 'human', s.round_id, array_agg(a.id),
       array_agg(a.username)
FROM selections s JOIN annotations a ON a.selection_id = s.id
WHERE s.project_id = :project GROUP BY s.id, s.item_id, s.round_id;
INSERT INTO labels (project_id, item_id, value, source)
SELECT :project, id, jsonb_build_object('label', 'class ' || lpad(cast(id % 20 AS text), 2, '0')), 'import'
FROM items WHERE project_id = :project AND split = 'test';
INSERT INTO evaluations (project_id, round_id, classifier_id, kind, metrics)
SELECT :project, r.id, r.result_id, 'held_out', jsonb_build_object(
    'n', 2000, 'accuracy', 0.9 - 0.4 / r.number, 'macro_f1', 0.85, 'micro_f1', 0.9, 'log_loss', 0.4,
    'ece', 0.03, 'split', 'test', 'classes', cast(:labels AS text[]),
    'confusion', (SELECT jsonb_agg(a.row) FROM (SELECT jsonb_agg(CASE WHEN x = y THEN 90 ELSE x % 2 END
        ORDER BY y) AS row FROM generate_series(1, 20) x, generate_series(1, 20) y GROUP BY x) a),
    'calibration', (SELECT jsonb_agg(jsonb_build_object('low', b / 15.0, 'high', (b + 1) / 15.0,
        'items', 130, 'confidence', (b + 0.5) / 15.0, 'accuracy', (b + 0.3) / 15.0))
        FROM generate_series(0, 14) b),
    'per_class', (SELECT jsonb_agg(jsonb_build_object('label', l, 'precision', 0.9, 'recall', 0.8,
        'f1', 0.85, 'support', 100)) FROM unnest(cast(:labels AS text[])) l))
FROM rounds r WHERE r.project_id = :project;
INSERT INTO evaluations (project_id, round_id, kind, metrics)
SELECT :project, r.id, 'agreement', jsonb_build_object('answers', 100 * r.number, 'items', 50 * r.number,
    'items_with_several', 50 * r.number, 'alpha', f.figure, 'fleiss_kappa', f.figure, 'classes', '[]',
    'annotators', (SELECT jsonb_agg(jsonb_build_object('name', 'annotator-' || a, 'answers', 100,
        'with_others', f.figure, 'with_label', f.figure, 'confusion', (
            SELECT jsonb_agg(jsonb_build_object('label', l, 'said', m, 'count', 3))
            FROM unnest(cast(:labels AS text[])) l, unnest(cast(:labels AS text[])) m WHERE l < m)))
        FROM generate_series(0, 5) a),
    'pairs', (SELECT jsonb_agg(jsonb_build_object('first', 'annotator-' || a, 'second', 'annotator-' || b,
        'kappa', f.figure, 'same', 40)) FROM generate_series(0, 5) a, generate_series(0, 5) b WHERE a < b))
FROM rounds r, (SELECT jsonb_build_object('value', 0.8, 'items', 1000, 'reason', NULL) AS figure) f
WHERE r.project_id = :project;
INSERT INTO evaluations (project_id, round_id, kind, metrics)
SELECT :project, r.id, 'stopping', jsonb_build_object('measured', cast('{}' AS jsonb), 'rules', (
    SELECT jsonb_agg(jsonb_build_object('rule', 'rule_' || n, 'verdict', 'go_on', 'message', 'Goes on.',
        'evidence', jsonb_build_object('labels', 50 * r.number))) FROM generate_series(1, 8) n))
FROM rounds r WHERE r.project_id = :project;
INSERT INTO measuring (round_id, project_id, done_at)
SELECT id, :project, now() FROM rounds WHERE project_id = :project;
INSERT INTO measurements (project_id, round_id, classifier_id, kind, made_from, figures)
SELECT :project, r.id, r.result_id, m.kind, '{}', m.figures
FROM rounds r,
LATERAL (SELECT jsonb_build_object('value', 0.8, 'low', 0.75, 'high', 0.85) AS interval) i,
LATERAL (VALUES
    ('accuracy', jsonb_build_object('checks', 10 * r.number, 'active', 40 * r.number, 'said', 'About 80%.',
        'estimate', jsonb_build_object('checks', 10 * r.number, 'remaining', i.interval,
            'new_items', i.interval))),
    ('forecast', jsonb_build_object('checks', 10 * r.number,
        'half', jsonb_build_object('said', 'A little.', 'gain', i.interval, 'labels', 75 * r.number),
        'twice', jsonb_build_object('said', 'A little.', 'gain', i.interval, 'labels', 100 * r.number))),
    ('held_out', jsonb_build_object('items', 2000, 'split', 'test', 'said', 'Accuracy is 80%.',
        'accuracy', i.interval, 'macro_f1', i.interval, 'of', 'the same', 'calibration', cast('[]' AS jsonb),
        'right', cast(:right AS text))),
    ('pool', jsonb_build_object('said', 'Half of the pool is covered.', 'covered', 0.5, 'repeated', 0.1,
        'outlying', 0.1, 'picked', 50, 'items', :items, 'drift', jsonb_build_object(
            'labelled_from_pool', 0.5, 'new_from_pool', 0.5), 'balance', (
        SELECT jsonb_build_object('batch', s.shares, 'labelled', s.shares, 'predicted', s.shares)
        FROM (SELECT jsonb_object_agg(l, 0.05) AS shares FROM unnest(cast(:labels AS text[])) l) s))),
    ('notes', jsonb_build_object('notes', (SELECT jsonb_agg(jsonb_build_object('code', 'note_' || n,
        'message', 'Something goes wrong.', 'next_step', 'Look.', 'evidence', cast('{}' AS jsonb)))
        FROM generate_series(1, 3) n))),
    ('doubts', jsonb_build_object('labels', 50 * r.number, 'count', 500, 'said', '500 labels are contradicted.',
        'doubts', (SELECT jsonb_agg(jsonb_build_object('item', 'i' || 2151 + n,
            'label', 'class ' || lpad(cast(((n - 1) % 50 + 1) % 20 AS text), 2, '0'), 'label_probability', 0.1,
            'believed', 'class 07', 'believed_probability', 0.8, 'source', 'human'))
            FROM generate_series(1, 500) n)))
) m (kind, figures)
WHERE r.project_id = :project;
INSERT INTO events (project_id, round_id, kind, actor)
SELECT :project, r.id, 'round.step', 'worker' FROM rounds r, generate_series(1, 10)
WHERE r.project_id = :project;
INSERT INTO actions (kind, actor, via, login, project_id, project, round)
SELECT 'round.planned', 'command line', 'command line', 'bench', :project, 'shop', number
FROM rounds WHERE project_id = :project;
INSERT INTO map_points (feature_version_id, item_id, x, y, sampled)
SELECT (SELECT max(id) FROM feature_versions), i.id, sin(i.id), cos(i.id * 1.7), true
FROM items i WHERE i.project_id = :project AND i.split = 'pool' ORDER BY i.id DESC LIMIT 2000;
INSERT INTO map_points (feature_version_id, item_id, x, y, sampled)
SELECT (SELECT max(id) FROM feature_versions), s.item_id, sin(s.item_id), cos(s.item_id * 1.7), false
FROM selections s WHERE s.project_id = :project ON CONFLICT DO NOTHING;
