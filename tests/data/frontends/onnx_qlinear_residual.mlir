#map = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#map1 = affine_map<(d0, d1) -> (d0, d1)>
module {
  func.func @main(%arg0: tensor<1x3x16x16xi8>) -> tensor<1x10xi8> {
    %cst = arith.constant dense<"0x0FF6FB14F3E21DF1F9FC1DE8F919F4E90C1AE9E7FC131EFC01FD071202E714180EF6EAED0806ECEC13F51B000EE61DEC1E18F3E8ED0707F61717E7E9E5FB1803FFF9F9F2121103EE0C02F40E03F1F4FE091B04001406F1E2FFFBEBE7EC120FEF180FFC14E60F0BF6E6F60AF4021D1B1107F0FBFF09F1EFFCF8E708E71CF61A1B170A1CF8EDEC16E5F6160BEC19F5F9FB01F1F909E7EDE413111AEDF108F0F6131704F612FD05EFEF140019E2F20C10F4EB180F14011711F703110A18E21DF0E5FDF50EE8F41900FF061A1AE4F3EF160303FE1DF910041BEC060C0F15F30CEC1BFCE809F6E7FF16F810E8FAE4EE1C16EE0BEE060D1CFDEFF3FB1718EE0C010EE9E30BEBE81300F003FA15FAE9E506FF111D09F218EDFD07EBE6FAF7ED1C051BFEF001F3FF1911E6191905F6F60FFE09100C16E9F803EE1C1CECFC081DFDFFE415180EF60EFC0803E807F405E6160BF514F1050FFCE2060000EF1110E7F316F30CFA1DE3081BF812F6F7051910E715010904E502FBF7EF161CF0F10D11E71E16F200141C17E405040A011E1C0C0C13F1F305E80815FDEAEF01F20C131808F9F5E30413141207FCF10605F9F614010CE3E2"> : tensor<16x3x3x3xi8>
    %cst_0 = arith.constant dense<"0x02020000A60000003CFDFFFFDF0100000202000059FFFFFF09FFFFFFDDFDFFFF62030000B1FDFFFFF5FFFFFFC2FDFFFF04020000BB00000098FDFFFF46FDFFFF"> : tensor<16xi32>
    %cst_1 = arith.constant dense<"0xE61CFEE71A16E7E3ED14F2161EF314F9F8EBF912E2FDE719E3EEF2E600F7FD1A1E1302E6F0E5FFF60DF707ECEC12071510E50814E7E3001DF9E8FDF90D1C1A1C071A130F1EE70FF61AE6E501F0E5E4FF06171C03E307FD14EBED12F70B00071403F1081D1C0BFE03FBE2EF1EF2E5E8E8F90BE9E7E41E1713E803FC0CE716F30FE4E7F0E61101FF13F304ECFFFF1B13F71A1EF80CF1E6F01511EEF30FE318F3E20FFF0CE3E20C1AF306FBE7FFFD0600E2FDED0708171414E20CFD001AE4F1E81818161BF90DE5F8FE05001A0CF71DFEF5E8F7F202EAFD1AEA1EF1E9EE00F5060AF6F0EFEA03E4F8F8F1F0010EF9EB15171EF50E0CF8F408F511F114E201EAF7F208F00C0EE21617F516EE1817EAEFED171CE90EEEF7FAE510FD10FC0E040110170FF9F40713E3F119E4E207ECE516FFE8E6F3FD0C0AFF0D1619F8F2EEFEE5E8F01CFA08E6F3E9EFE51EE3FF0BE51B01EEE5E51D03F3EA041B1CEB1CE91EF3101E160BF718F9E513E8171403EFF4EDFE0FECE7EA0719FD1B1BF2E8F3F5ED0A01191E1D0F00F111F3F71A0A1B1B1619EC03F0E503EE12E20CE6F1041500E5F4F0EA10FA15E21D0AE9131316F1F607F1F6FA1C080BE4E7F3F20FE8E9E2F1F1E8F6E6F71907E4E7FDE402F40EF9E2F9E3011D06FD040C06FCF31D12F91AEC180C0C1B08E5110FF2F01D0303FF1205F6E6161212E5EDFEF91B1AFA0515E814F209FE1DE2FEEAF9E30D19060D1E02E4E6E50E1C0518E413E211F1E4FFF21EF8F4EA1D17FDF9EF0818F6EE040B051EE8ECE40C0DFFE4FE0800F4EDFC0700FF0EE4FE03FCEA1C03EFE9E5F318EFF4000F10E80C0A05EA15130EED0FE3180AEB1919E91E06F90F0AF601E7FF17F4FFEE1EFDE6FC09FAF1E4E601EDF6EDEDFEE60E0A011EF2FF13041CE402EA0DE8E9EBE4F0E9EA0F0F1C031002EA13EA091B09171408F2E408F01514F4FC0AF2E409F6111006E7F7EDF717E202F9F811010CE51CFA08EDEAF1E7F31E1B0D0BF4FEE6FA0015F5F6090511EB0D020DF808E508EFF9F5E4F70C0F0F02F41404ED18E906070C170410F01CFEE417EB0FEFEBE508191C131EF918E9FEF80C0D0704F3FBFBE300EE181CE2F7E4150B0C180D16F414E7EC04E4EDF012F8E91EE21D05FE0511171302F21EFCF8EE0EE6FBF11814EF051808ECFB0AED0AFDF20908F3F008E217E90D0B09031DF8E6E301081BFA0006FE02F4EB170C0AECEAEF060111FAE214E910FD0BF116F9F018F104190A0411E819191313EFEF0BF6090E12E51EFC09F61417FCFEEE13F60807E80F0D12F20503E8ED00F7EDEC1E1E13E507E4F315F7F3F414F6ECEFFCF3FF1CEB08EF0FF91905E2E8EFF80B1601E4120AFE090BEFEAF50E1BF6F603E21A190701FB1CFF1DEFF2E9F104F2ED081D0D1403FFF01C0F11F0E4F7F006FB19FEE6EBF4EB010C100FE40909EAFE13E4F4EB010EFB07E70C11F3021E1E04F313FA03ED051111FF0016F7ECF301F018F4E7E318041DF4F00DF5FE1EF4E818FE14EAED00F10118F7EDF30319F1120EEDE718F01EEFF1FE101013FEEFF500EC130B0E1AF20F0312FDE9EC0AFF1BF907F2171E1912F1FFF3131D0CF00CFAE81D19F6EDE5EEE5F9F6EA0DF5E61EFE150AFF160B1814030C0EEFE3F215FC1718F1E709E7151BE2E205ED06E3F8FE0018F2041DEFFC0D151CEF0BE8EAF5E605ECF5190AF2130AF5EB12EA15030FF310FCF30EF30DF51D06FF1D13EB1CEC1E0A171716FE0B091C19EEEA14FE1A181EE7F30CF6E90816F0E51D121314FAF506ECE20510E905FCE8EF16F4ECF0F0F008FDE9F2040EE5061D01EDF811EDEC101915E610F702F9FA0E050502E71C1BFF071405EBF80F0107F2FCE41C1CEB1DE711FE07140008EF130AEAE2E6E7EBF6FFF7F01B1AE202120F0117FC121AF203FBF61116E2F20FFB1CF916FAF2101A1BFAECF01DF7FCF7E6FD03120709EB09EEF2E4EBFA1AE4EF180E0FF4F0071B05141809E7E9070D12F213E40A08EB02EB141DECE713F1E5081C1B0FEA0FEB0D0B1509F90E16EC0BF4150BF802F4111BFE0B060F0C1B0311F7F013E2FD0011FE0A071CF212F8EA02F003F3FBF0EA0BF216EEFDF2E70BF5E8F8070EEE1E010BF3E4E5FFE51518E317E4F3F8F110EFFCF10FF51BF4FAF5ECE5FEEC1004171DE2111C0E0DEAF0061A0BEAEC0B0EE808FAF61AF405F1EEFFFDE5F7F2081CFCE5FC0F02F2E407FBE9EBF808FE03FCF51A19090714E6FDE21107EF12010CF60C05E308EC03FCE71E02F510F5F3F1020EFC110C0DEEF20F15F9140EE7041B04F4F7F61EE9FFF9E813150501ECE2130A18E4EEF7F40A01F3FA00FAFFFC18F11D11F4F8EFFAFAFCEFFBE9F50D01EF061114FBEF110F18070F10E208F5F7F4F506051215091E1B04FFEB11F61AE8F618EFEA08FAE4FC18F5E3E2FB0601FCF1E5180A1001070DF0F4EDEBEAF9F5F61CFF1CEAF9EBE6F914F3E4E81BE3E6EDF3181E1C0F07F417F9F7F60004060EF60B0A02F4E2E8E8FAE61EFB170EFAFEE403161BEA06F0ECE51DE6EEEDF81B0E0DEB0402E5E9E8E5FCFD01F71316041AFFEA0F110B0611E31CE3EAF90FF203EE0C05F1F9FBF5F90DEDFF0E15F7FF14111607061619E4061A1D001912180416E20CF8190A08ED06EA12FCFF040FF505E7FB1CF00217F6FC0307F1F3E40317FCF41808F01C0BFDE7FD07FEFD1D070DF6FDF01515FF03E808070AEEF91808F1F5020A1A140BFF160CF110F61C1B0CEF1712FEEC111110F9E40810E9FFE9E80FE3F8E5FF13F7F810EFEDF81819E8E7FB1C1600E5130FE6EDED1B14F6FA05F2E90CF3EDF80AE20CFBE3F4F1F0EF1DEF111B0AF1E51CF9E3E9EBE215FE11F4ECE60E151011F6E4141310F0F501E216010AF6FAEF0C15FF1715E718EAE3150B0EFB04011BF8ECEF1CFD0D03EE040612E5110E110012F8E9EB1E0F1AE71618F1FDFF0E1BF705F5E5F91BED171701E7121DE5ED0B06150EE5E617130E03E8E80900F9FCF81116E213E2FAF9FDECEB151216E30D11190BEBF6E9FDE5E317FD14011BEF030702FE061AF30BEE14050D01EBE913E4160A1C0F06FD111BFFF4E907EA17F911EBF0F40717EEFD1201F8F418ED1A05EA0707FD1EF4061CFEF4E9110BE8F21D0EF5ED0A1DEE1E00FC111418F9F9F108F10D0B190508F2FDFE0E0E00F7EDF3E4190A0312F5EE0CFD1BF117060910FE0B011E150F0FF4FD04F61402F01917151D0A0F07130AEE1B0314FEECFF1812EFE3100EFDF5EB07F4F8E7E4E81CF809E6FCF7E5E303"> : tensor<16x16x3x3xi8>
    %cst_2 = arith.constant dense<"0xEA010000BF01000041020000AE020000ECFFFFFFF50200002003000048FEFFFF9E020000A3FDFFFFC9010000CA0200000C020000EBFDFFFFEEFDFFFF0BFEFFFF"> : tensor<16xi32>
    %cst_3 = arith.constant dense<"0x1108E3EFFEF5EA131B011614E3E3F51C1C08FDFD0BE9EE15EB1CFE06F9FCF301FB17F20A00F6EBF8E3E5FBEE1B0EE61E0A1AE3EA08E2FC0E0AFD08E818F2E408FC1DFBEB0FF615E21407F71508E71DEDEDE8E7E8F6EDFDE210E204F11C12EE19F1E6F4EB07E202F0E4010EFEE511ECE617021502EBEA05F2091BFF0DFF1EEE1A1DFDEC1D011903FB1BF21E0103EA1BE50C02060DE9EB160BFEEA17050B0FF0F3"> : tensor<10x16xi8>
    %cst_4 = arith.constant dense<"0xEE0200003C0300004BFFFFFF38020000290000001FFFFFFFC5FEFFFF110200008403000000010000"> : tensor<10xi32>
    %c0_i8 = arith.constant 0 : i8
    %c0_i32 = arith.constant 0 : i32
    %cst_5 = arith.constant 9.765625e-04 : f32
    %cst_6 = arith.constant -1.280000e+02 : f32
    %cst_7 = arith.constant 1.270000e+02 : f32
    %cst_8 = arith.constant 0.000000e+00 : f32
    %cst_9 = arith.constant 6.250000e-02 : f32
    %c-128_i8 = arith.constant -128 : i8
    %cst_10 = arith.constant 2.44140625E-4 : f32
    %cst_11 = arith.constant 1.250000e-01 : f32
    %padded = tensor.pad %arg0 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %c0_i8 : i8
    } : tensor<1x3x16x16xi8> to tensor<1x3x18x18xi8>
    %0 = tensor.empty() : tensor<1x16x16x16xi32>
    %broadcasted = linalg.broadcast ins(%cst_0 : tensor<16xi32>) outs(%0 : tensor<1x16x16x16xi32>) dimensions = [0, 2, 3] 
    %1 = linalg.conv_2d_nchw_fchw_q {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%padded, %cst, %c0_i32, %c0_i32 : tensor<1x3x18x18xi8>, tensor<16x3x3x3xi8>, i32, i32) outs(%broadcasted : tensor<1x16x16x16xi32>) -> tensor<1x16x16x16xi32>
    %2 = tensor.empty() : tensor<1x16x16x16xf32>
    %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%1 : tensor<1x16x16x16xi32>) outs(%2 : tensor<1x16x16x16xf32>) {
    ^bb0(%in: i32, %out: f32):
      %37 = arith.sitofp %in : i32 to f32
      %38 = arith.mulf %37, %cst_5 : f32
      linalg.yield %38 : f32
    } -> tensor<1x16x16x16xf32>
    %4 = tensor.empty() : tensor<1x16x16x16xi8>
    %5 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%3 : tensor<1x16x16x16xf32>) outs(%4 : tensor<1x16x16x16xi8>) {
    ^bb0(%in: f32, %out: i8):
      %37 = arith.divf %in, %cst_9 : f32
      %38 = math.roundeven %37 : f32
      %39 = arith.addf %38, %cst_8 : f32
      %40 = arith.maximumf %39, %cst_6 : f32
      %41 = arith.minimumf %40, %cst_7 : f32
      %42 = arith.fptosi %41 : f32 to i8
      linalg.yield %42 : i8
    } -> tensor<1x16x16x16xi8>
    %padded_0 = tensor.pad %5 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %c-128_i8 : i8
    } : tensor<1x16x16x16xi8> to tensor<1x16x18x18xi8>
    %6 = tensor.empty() : tensor<3x3xi8>
    %7 = tensor.empty() : tensor<1x16x8x8xi8>
    %8 = linalg.fill ins(%c-128_i8 : i8) outs(%7 : tensor<1x16x8x8xi8>) -> tensor<1x16x8x8xi8>
    %9 = linalg.pooling_nchw_max {dilations = dense<1> : vector<2xi64>, strides = dense<2> : vector<2xi64>} ins(%padded_0, %6 : tensor<1x16x18x18xi8>, tensor<3x3xi8>) outs(%8 : tensor<1x16x8x8xi8>) -> tensor<1x16x8x8xi8>
    %padded_1 = tensor.pad %9 low[0, 0, 1, 1] high[0, 0, 1, 1] {
    ^bb0(%arg1: index, %arg2: index, %arg3: index, %arg4: index):
      tensor.yield %c0_i8 : i8
    } : tensor<1x16x8x8xi8> to tensor<1x16x10x10xi8>
    %10 = tensor.empty() : tensor<1x16x8x8xi32>
    %broadcasted_0 = linalg.broadcast ins(%cst_2 : tensor<16xi32>) outs(%10 : tensor<1x16x8x8xi32>) dimensions = [0, 2, 3] 
    %11 = linalg.conv_2d_nchw_fchw_q {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%padded_1, %cst_1, %c0_i32, %c0_i32 : tensor<1x16x10x10xi8>, tensor<16x16x3x3xi8>, i32, i32) outs(%broadcasted_0 : tensor<1x16x8x8xi32>) -> tensor<1x16x8x8xi32>
    %12 = tensor.empty() : tensor<1x16x8x8xf32>
    %13 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%11 : tensor<1x16x8x8xi32>) outs(%12 : tensor<1x16x8x8xf32>) {
    ^bb0(%in: i32, %out: f32):
      %37 = arith.sitofp %in : i32 to f32
      %38 = arith.mulf %37, %cst_10 : f32
      linalg.yield %38 : f32
    } -> tensor<1x16x8x8xf32>
    %14 = tensor.empty() : tensor<1x16x8x8xi8>
    %15 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%13 : tensor<1x16x8x8xf32>) outs(%14 : tensor<1x16x8x8xi8>) {
    ^bb0(%in: f32, %out: i8):
      %37 = arith.divf %in, %cst_9 : f32
      %38 = math.roundeven %37 : f32
      %39 = arith.addf %38, %cst_8 : f32
      %40 = arith.maximumf %39, %cst_6 : f32
      %41 = arith.minimumf %40, %cst_7 : f32
      %42 = arith.fptosi %41 : f32 to i8
      linalg.yield %42 : i8
    } -> tensor<1x16x8x8xi8>
    %16 = tensor.empty() : tensor<1x16x8x8xf32>
    %17 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%15 : tensor<1x16x8x8xi8>) outs(%16 : tensor<1x16x8x8xf32>) {
    ^bb0(%in: i8, %out: f32):
      %37 = arith.sitofp %in : i8 to f32
      %38 = arith.mulf %37, %cst_9 : f32
      linalg.yield %38 : f32
    } -> tensor<1x16x8x8xf32>
    %18 = tensor.empty() : tensor<1x16x8x8xf32>
    %19 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%9 : tensor<1x16x8x8xi8>) outs(%18 : tensor<1x16x8x8xf32>) {
    ^bb0(%in: i8, %out: f32):
      %37 = arith.sitofp %in : i8 to f32
      %38 = arith.mulf %37, %cst_9 : f32
      linalg.yield %38 : f32
    } -> tensor<1x16x8x8xf32>
    %20 = tensor.empty() : tensor<1x16x8x8xf32>
    %21 = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%17, %19 : tensor<1x16x8x8xf32>, tensor<1x16x8x8xf32>) outs(%20 : tensor<1x16x8x8xf32>) {
    ^bb0(%in: f32, %in_0: f32, %out: f32):
      %37 = arith.addf %in, %in_0 : f32
      linalg.yield %37 : f32
    } -> tensor<1x16x8x8xf32>
    %22 = tensor.empty() : tensor<1x16x8x8xf32>
    %23 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%21 : tensor<1x16x8x8xf32>) outs(%22 : tensor<1x16x8x8xf32>) {
    ^bb0(%in: f32, %out: f32):
      %37 = arith.cmpf ugt, %in, %cst_8 : f32
      %38 = arith.select %37, %in, %cst_8 : f32
      linalg.yield %38 : f32
    } -> tensor<1x16x8x8xf32>
    %24 = tensor.empty() : tensor<1x16x8x8xi8>
    %25 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%23 : tensor<1x16x8x8xf32>) outs(%24 : tensor<1x16x8x8xi8>) {
    ^bb0(%in: f32, %out: i8):
      %37 = arith.divf %in, %cst_11 : f32
      %38 = math.roundeven %37 : f32
      %39 = arith.addf %38, %cst_8 : f32
      %40 = arith.maximumf %39, %cst_6 : f32
      %41 = arith.minimumf %40, %cst_7 : f32
      %42 = arith.fptosi %41 : f32 to i8
      linalg.yield %42 : i8
    } -> tensor<1x16x8x8xi8>
    %26 = tensor.empty() : tensor<8x8xi8>
    %27 = tensor.empty() : tensor<1x16x1x1xi8>
    %28 = linalg.fill ins(%c-128_i8 : i8) outs(%27 : tensor<1x16x1x1xi8>) -> tensor<1x16x1x1xi8>
    %29 = linalg.pooling_nchw_max {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>} ins(%25, %26 : tensor<1x16x8x8xi8>, tensor<8x8xi8>) outs(%28 : tensor<1x16x1x1xi8>) -> tensor<1x16x1x1xi8>
    %collapsed = tensor.collapse_shape %29 [[0], [1, 2, 3]] : tensor<1x16x1x1xi8> into tensor<1x16xi8>
    %30 = tensor.empty() : tensor<1x10xi32>
    %broadcasted_1 = linalg.broadcast ins(%cst_4 : tensor<10xi32>) outs(%30 : tensor<1x10xi32>) dimensions = [0] 
    %31 = tensor.empty() : tensor<16x10xi8>
    %transposed = linalg.transpose ins(%cst_3 : tensor<10x16xi8>) outs(%31 : tensor<16x10xi8>) permutation = [1, 0] 
    %32 = linalg.quantized_matmul ins(%collapsed, %transposed, %c0_i32, %c0_i32 : tensor<1x16xi8>, tensor<16x10xi8>, i32, i32) outs(%broadcasted_1 : tensor<1x10xi32>) -> tensor<1x10xi32>
    %33 = tensor.empty() : tensor<1x10xf32>
    %34 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%32 : tensor<1x10xi32>) outs(%33 : tensor<1x10xf32>) {
    ^bb0(%in: i32, %out: f32):
      %37 = arith.sitofp %in : i32 to f32
      %38 = arith.mulf %37, %cst_5 : f32
      linalg.yield %38 : f32
    } -> tensor<1x10xf32>
    %35 = tensor.empty() : tensor<1x10xi8>
    %36 = linalg.generic {indexing_maps = [#map1, #map1], iterator_types = ["parallel", "parallel"]} ins(%34 : tensor<1x10xf32>) outs(%35 : tensor<1x10xi8>) {
    ^bb0(%in: f32, %out: i8):
      %37 = arith.divf %in, %cst_9 : f32
      %38 = math.roundeven %37 : f32
      %39 = arith.addf %38, %cst_8 : f32
      %40 = arith.maximumf %39, %cst_6 : f32
      %41 = arith.minimumf %40, %cst_7 : f32
      %42 = arith.fptosi %41 : f32 to i8
      linalg.yield %42 : i8
    } -> tensor<1x10xi8>
    return %36 : tensor<1x10xi8>
  }
}
