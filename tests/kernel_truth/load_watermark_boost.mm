# Unmovable pages that have to go to movable pageblocks raise the watermarks, and kswapd takes page cache for it. With this
# extfrag_threshold kcompactd finds nothing to do, whose turns depend on how slow the emulator is.
# tolerance 5%
machine nodes=1 node_mem=768M disk=1G
sysctl vm.compaction_proactiveness 0
sysctl vm.extfrag_threshold 1000
thp enabled never
spawn p
@p cpu 0
@p map f 200M file file=a
@p read f
@p map a 390M anon
@p touch a
pool 2M all 36
@p advise a 0 390M dontneed 8K
sleep 500
@p pipes q 40M
sleep 500
@p pipes r 48M
sleep 500
@p exit
